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

// outage is a cause for which a certificate does not arrive, or none. Each has a vault of its own, with the certificate "web".
type outage struct {
	name     string // the vault's too
	cause    func(server *keyvault.Server, vault *keyvault.Vault) error
	clientID string // of the certificate's own identity
	arrives  bool   // there is no cause
}

func vaultDoes(name string, change func(*keyvault.Vault)) outage {
	return outage{name: name, cause: func(_ *keyvault.Server, v *keyvault.Vault) error {
		change(v)
		return nil
	}}
}

// outages are all failures that the Key Vault server can cause, some of them with several identities.
func outages() []outage {
	all := []outage{
		{name: "healthy", arrives: true},
		{name: "as-another", clientID: uuid.NewString(), arrives: true},
		vaultDoes("portal", func(v *keyvault.Vault) { v.HTMLPage(-1) }),
		vaultDoes("redirect", func(v *keyvault.Vault) { v.Redirect("https://portal.example/", -1) }),
		vaultDoes("block-page", func(v *keyvault.Vault) { v.BlockPage(-1) }),
		vaultDoes("breaks-off", func(v *keyvault.Vault) { v.ResetMidBody(-1) }),
		vaultDoes("throttled", func(v *keyvault.Vault) { v.Throttle(time.Minute, true, -1) }),
		vaultDoes("server-error", func(v *keyvault.Vault) {
			v.FailWith(http.StatusInternalServerError, "InternalServerError", "", "Sorry.", -1)
		}),
		vaultDoes("stopped", func(v *keyvault.Vault) { v.Stop() }),
		vaultDoes("too-large", func(v *keyvault.Vault) {
			v.PutRaw("web", "application/x-pem-file", strings.Repeat(v.Values()[0], 1000))
		}),
		vaultDoes("truncated", func(v *keyvault.Vault) {
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
		{name: "deleted", cause: func(_ *keyvault.Server, v *keyvault.Vault) error { return v.Delete("web") }},
	}
	for _, kind := range keyvault.Refusals {
		all = append(all, vaultDoes("refuses-"+strings.ToLower(string(kind)), func(v *keyvault.Vault) { v.Refuse(kind, -1) }))
	}
	for _, kind := range keyvault.ServerCertificates {
		all = append(all, outage{name: "presents-" + strings.ToLower(string(kind)), cause: func(_ *keyvault.Server, v *keyvault.Vault) error { return v.Present(kind) }})
	}
	for _, kind := range keyvault.LoginRefusals {
		clientID := uuid.NewString()
		all = append(all, outage{name: "login-" + clientID, clientID: clientID, cause: func(s *keyvault.Server, _ *keyvault.Vault) error {
			s.RefuseLogin(clientID, kind)
			return nil
		}})
	}
	return all
}

// ofOneIdentity returns the outages in which the agent's own identity reads.
func ofOneIdentity(all []outage) []outage {
	return slices.DeleteFunc(all, func(one outage) bool { return one.clientID != "" })
}

// cause puts a certificate into each vault and causes its outage. Key Vault has both forms of a certificate.
func cause(server *keyvault.Server, all []outage) error {
	var failed []error
	for i, one := range all {
		vault := server.Vault(one.name)
		_, err := vault.Put("web", keyvault.CertificateOptions{ContentType: keyvault.ContentType(i % 2), WithChain: i%4 < 2})
		failed = append(failed, err)
		if one.cause != nil {
			failed = append(failed, one.cause(server, vault))
		}
	}
	return errors.Join(failed...)
}

// spec sets the spec of an outage's certificate.
func (m outage) spec(server *keyvault.Server, node string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.URL = server.Vault(m.name).SecretURL("web")
		spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/hostname": v1alpha1.LabelValue(node)}}
		if m.clientID != "" {
			spec.Authentication = &v1alpha1.Authentication{MSIClientID: m.clientID}
		}
	}
}
