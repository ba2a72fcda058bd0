package keyvault

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

func TestRotationKeepsTheOldVersion(t *testing.T) {
	s := ForTest(t, "shop")
	vault, client := s.Vault("shop"), newClient(t, s, "shop")
	first, err := vault.Put("web", CertificateOptions{KeyType: P256})
	if err != nil {
		t.Fatal(err)
	}
	second, err := vault.Rotate("web")
	if err != nil {
		t.Fatal(err)
	}
	if first.Thumbprint == second.Thumbprint || first.Version == second.Version {
		t.Errorf("got %+v after %+v, want another thumbprint and version", second, first)
	}
	if got := vault.Versions("web"); !slices.Equal(got, []string{first.Version, second.Version}) {
		t.Errorf("got versions %v, want the oldest first", got)
	}
	for _, test := range []struct {
		version string
		want    Made
	}{{"", second}, {first.Version, first}, {second.Version, second}} {
		response := get(t, client, "web", test.version)
		if got := response.ID.Version(); got != test.want.Version {
			t.Errorf("got version %s for %q, want %s", got, test.version, test.want.Version)
		}
		if got := thumbprintOf(t, response.Secret); got != test.want.Thumbprint {
			t.Errorf("got thumbprint %s for %q, want %s", got, test.version, test.want.Thumbprint)
		}
	}
	if got := vault.Thumbprint("web"); got != second.Thumbprint {
		t.Errorf("got %s, want the latest thumbprint", got)
	}
}

func TestTheSecretOfACertificateIsMarkedAsManaged(t *testing.T) {
	s := ForTest(t, "shop")
	from, until := time.Now().Add(time.Hour).Truncate(time.Second), time.Now().Add(48*time.Hour).Truncate(time.Second)
	for range 2 {
		if _, err := s.Vault("shop").Put("web", CertificateOptions{KeyType: P256, ContentType: PEM, NotBefore: from, NotAfter: until}); err != nil {
			t.Fatal(err)
		}
	}
	got := get(t, newClient(t, s, "shop"), "web", "")
	versions := s.Vault("shop").Versions("web")
	if want := s.Vault("shop").SecretURL("web") + "/" + versions[1]; string(*got.ID) != want {
		t.Errorf("got the id %s, want %s", *got.ID, want)
	}
	if want := s.Vault("shop").URL() + "/keys/web/" + versions[1]; string(*got.KID) != want || !*got.Managed {
		t.Errorf("got the key %s, want %s, managed", *got.KID, want)
	}
	if *got.ContentType != "application/x-pem-file" || *got.PreviousVersion != versions[0] {
		t.Errorf("got content type %s and previous version %s", *got.ContentType, *got.PreviousVersion)
	}
	attributes := got.Attributes
	if !attributes.NotBefore.Equal(from) || !attributes.Expires.Equal(until) || !*attributes.Enabled ||
		attributes.Created == nil || attributes.Updated == nil || *attributes.RecoveryLevel != "Recoverable+Purgeable" {
		t.Errorf("got attributes %+v", attributes)
	}
}

func TestVersionsAreListedWithoutValues(t *testing.T) {
	s := ForTest(t, "shop")
	vault := s.Vault("shop")
	for _, value := range []string{"one", "two", "three"} {
		vault.PutRaw("word", "text/plain", value)
	}
	if err := vault.Disable("word", vault.Versions("word")[0]); err != nil {
		t.Fatal(err)
	}
	var listed []*azsecrets.SecretProperties
	client := newClient(t, s, "shop")
	for pager := client.NewListSecretPropertiesVersionsPager("word", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, page.Value...)
	}
	slices.SortFunc(listed, func(a, b *azsecrets.SecretProperties) int {
		return a.Attributes.Created.Compare(*b.Attributes.Created)
	})
	var ids []string
	for i, one := range listed {
		ids = append(ids, one.ID.Version())
		if *one.Attributes.Enabled != (i > 0) {
			t.Errorf("version %d is enabled: %t", i, *one.Attributes.Enabled)
		}
	}
	if want := vault.Versions("word"); !slices.Equal(ids, want) {
		t.Errorf("got %v by time, want %v", ids, want)
	}
}

func TestADisabledVersionIsRefused(t *testing.T) {
	s := ForTest(t, "shop")
	vault, client := s.Vault("shop"), newClient(t, s, "shop")
	first := vault.PutRaw("word", "", "one")
	vault.PutRaw("word", "", "two")
	if err := vault.Disable("word", ""); err != nil {
		t.Fatal(err)
	}
	refusal := refused(t, client, "word", "", http.StatusForbidden)
	mustContain(t, refusal, "SecretDisabled", "Operation get is not allowed on a disabled secret.")
	if refusal.ErrorCode != "Forbidden" {
		t.Errorf("got the code %s, want Forbidden", refusal.ErrorCode)
	}
	if got := *get(t, client, "word", first).Value; got != "one" {
		t.Errorf("got %q, want the older version", got)
	}
	if err := vault.Enable("word", ""); err != nil {
		t.Fatal(err)
	}
	get(t, client, "word", "")
	if err := vault.Disable("none", ""); err == nil {
		t.Error("disabled a secret that does not exist")
	}
}

func TestADeletedSecretIsNotFoundUntilRecovered(t *testing.T) {
	s := ForTest(t, "shop")
	vault, client := s.Vault("shop"), newClient(t, s, "shop")
	vault.PutRaw("word", "", "one")
	mustContain(t, refused(t, client, "other", "", http.StatusNotFound), "SecretNotFound", "(name/id) other was not found")
	mustContain(t, refused(t, client, "word", "0123", http.StatusNotFound), "SecretNotFound", "(name/id) word/0123")
	if err := vault.Delete("word"); err != nil {
		t.Fatal(err)
	}
	mustContain(t, refused(t, client, "word", "", http.StatusNotFound), "SecretNotFound", "deleted but recoverable")
	if _, err := vault.Put("word", CertificateOptions{KeyType: P256}); err == nil {
		t.Error("put a certificate under a deleted secret's name")
	}
	if err := vault.Recover("word"); err != nil {
		t.Fatal(err)
	}
	if got := *get(t, client, "WORD", "").Value; got != "one" {
		t.Errorf("got %q with another letter case", got)
	}
}

func TestValidityIsEnforcedOnlyOnDemand(t *testing.T) {
	s := ForTest(t, "shop")
	vault, client := s.Vault("shop"), newClient(t, s, "shop")
	vault.PutRaw("word", "", "one")
	now := time.Now().Truncate(time.Second)
	if err := vault.SetValidity("word", "", now.Add(time.Hour), now.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := get(t, client, "word", "").Attributes; !got.NotBefore.Equal(now.Add(time.Hour)) || !got.Expires.Equal(now.Add(2*time.Hour)) {
		t.Errorf("got %v to %v", got.NotBefore, got.Expires)
	}
	vault.EnforceValidity(true)
	mustContain(t, refused(t, client, "word", "", http.StatusForbidden), "not yet valid")
	if err := vault.SetValidity("word", "", time.Time{}, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	mustContain(t, refused(t, client, "word", "", http.StatusForbidden), "expired")
	vault.Heal()
	if got := get(t, client, "word", "").Attributes; got.NotBefore != nil {
		t.Errorf("got nbf %v, want none", got.NotBefore)
	}
}
