package keyvault

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// secret is a secret with its versions, oldest first.
type secret struct {
	name     string
	options  CertificateOptions
	versions []*version
	deleted  bool
}

// version is one version of a secret. A secret that is not a certificate has no thumbprint.
type version struct {
	id, contentType, value, thumbprint, previous string
	managed, disabled                            bool
	notBefore, expires, created, updated         time.Time
}

func (s *secret) latest() *version { return s.versions[len(s.versions)-1] }

// find returns a version; the latest for an empty id.
func (s *secret) find(id string) (*version, error) {
	if id == "" {
		return s.latest(), nil
	}
	for _, candidate := range s.versions {
		if candidate.id == id {
			return candidate, nil
		}
	}
	return nil, fmt.Errorf("the secret %s has no version %s", s.name, id)
}

// add makes a version the latest. Each is created at least a second after the one before, since clients order versions by that
// attribute.
func (s *secret) add(v *version) {
	v.id = randomHex(16)
	v.created = time.Now().Truncate(time.Second)
	if len(s.versions) > 0 {
		before := s.latest()
		if !v.created.After(before.created) {
			v.created = before.created.Add(time.Second)
		}
		if v.managed {
			v.previous = before.id
		}
	}
	v.updated = v.created
	s.versions = append(s.versions, v)
}

func (v *version) attributes() *azsecrets.SecretAttributes {
	return &azsecrets.SecretAttributes{
		Enabled: to.Ptr(!v.disabled), NotBefore: timeOrNil(v.notBefore), Expires: timeOrNil(v.expires),
		Created: to.Ptr(v.created), Updated: to.Ptr(v.updated),
		RecoverableDays: to.Ptr[int32](90), RecoveryLevel: to.Ptr("Recoverable+Purgeable"),
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // it never fails
	return hex.EncodeToString(random)
}
