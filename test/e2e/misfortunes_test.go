package e2e

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// misfortune is a way in which a certificate does not arrive, or for one time does. Each has a vault of its own, with the
// certificate "web" in it.
type misfortune struct {
	name     string // the vault's too
	strike   func(server *keyvault.Server, vault *keyvault.Vault) error
	clientID string // of the certificate's own identity
	luck     bool   // it arrives
}

func vaultDoes(name string, change func(*keyvault.Vault)) misfortune {
	return misfortune{name: name, strike: func(_ *keyvault.Server, v *keyvault.Vault) error {
		change(v)
		return nil
	}}
}

// misfortunes are all that a Key Vault server can do to an agent, in a few of which it has several identities.
func misfortunes() []misfortune {
	all := []misfortune{
		{name: "well", luck: true},
		{name: "as-another", clientID: uuid.NewString(), luck: true},
		vaultDoes("portal", func(v *keyvault.Vault) { v.HTMLPage(-1) }),
		vaultDoes("redirect", func(v *keyvault.Vault) { v.Redirect("https://portal.example/", -1) }),
		vaultDoes("block-page", func(v *keyvault.Vault) { v.BlockPage(-1) }),
		vaultDoes("breaks-off", func(v *keyvault.Vault) { v.ResetMidBody(-1) }),
		vaultDoes("throttled", func(v *keyvault.Vault) { v.Throttle(time.Minute, true, -1) }),
		vaultDoes("ill", func(v *keyvault.Vault) {
			v.FailWith(http.StatusInternalServerError, "InternalServerError", "", "Sorry.", -1)
		}),
		vaultDoes("away", func(v *keyvault.Vault) { v.Stop() }),
		vaultDoes("vast", func(v *keyvault.Vault) {
			v.PutRaw("web", "application/x-pem-file", strings.Repeat(v.Values()[0], 1000))
		}),
		vaultDoes("cut", func(v *keyvault.Vault) {
			value := v.Values()[0]
			v.PutRaw("web", "application/x-pkcs12", value[:len(value)/8*4])
		}),
		vaultDoes("other-type", func(v *keyvault.Vault) {
			value, kind := v.Values()[0], "application/x-pem-file"
			if strings.HasPrefix(value, "-----") {
				kind = "application/x-pkcs12"
			}
			v.PutRaw("web", kind, value)
		}),
		vaultDoes("text", func(v *keyvault.Vault) { v.PutRaw("web", "text/plain", v.Values()[0]) }),
		{name: "deleted", strike: func(_ *keyvault.Server, v *keyvault.Vault) error { return v.Delete("web") }},
	}
	for _, kind := range keyvault.Refusals {
		all = append(all, vaultDoes("refuses-"+strings.ToLower(string(kind)), func(v *keyvault.Vault) { v.Refuse(kind, -1) }))
	}
	for _, kind := range keyvault.ServerCertificates {
		all = append(all, misfortune{name: "presents-" + strings.ToLower(string(kind)), strike: func(_ *keyvault.Server, v *keyvault.Vault) error { return v.Present(kind) }})
	}
	for _, kind := range keyvault.LoginRefusals {
		clientID := uuid.NewString()
		all = append(all, misfortune{name: "login-" + clientID, clientID: clientID, strike: func(s *keyvault.Server, _ *keyvault.Vault) error {
			s.RefuseLogin(clientID, kind)
			return nil
		}})
	}
	return all
}

// ofOneIdentity are those in which the agent's own identity reads.
func ofOneIdentity(all []misfortune) []misfortune {
	return slices.DeleteFunc(all, func(one misfortune) bool { return one.clientID != "" })
}

// strike puts a certificate into each vault and lets it meet its misfortune. Key Vault has both forms of a certificate.
func strike(server *keyvault.Server, all []misfortune) error {
	var problems []error
	for i, one := range all {
		vault := server.Vault(one.name)
		_, err := vault.Put("web", keyvault.CertificateOptions{ContentType: keyvault.ContentType(i % 2), WithChain: i%4 < 2})
		problems = append(problems, err)
		if one.strike != nil {
			problems = append(problems, one.strike(server, vault))
		}
	}
	return errors.Join(problems...)
}

// wanted is the spec of a misfortune's certificate.
func (m misfortune) wanted(server *keyvault.Server, node string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.URL = server.Vault(m.name).SecretURL("web")
		spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/hostname": v1alpha1.LabelValue(node)}}
		if m.clientID != "" {
			spec.Authentication = &v1alpha1.Authentication{MSIClientID: m.clientID}
		}
	}
}
