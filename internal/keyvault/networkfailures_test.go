package keyvault

import (
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func present(kind vaulttest.ServerCertificate) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		check(t, f.vault.Present(kind))
		f.httpTransport().CloseIdleConnections()
	}
}

// networkFailures are the failures of a request without a response.
var networkFailures = []failureCase{
	{name: "DNS, a name that does not exist", arrange: func(t *testing.T, f *fixture) { f.nameServer(t) }, secret: "https://shop.vault.invalid/secrets/word",
		want: v1alpha1.ReasonVaultNotFound, class: v1alpha1.ClassWaiting, says: []string{"does not resolve; check the vault's name", "private endpoint"}},
	{name: "DNS, a name server that fails", arrange: func(t *testing.T, f *fixture) { f.nameServer(t).answer("shop.vault.invalid.", serverFailure) },
		secret: "https://shop.vault.invalid/secrets/word", want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient,
		says: []string{"server misbehaving", "check the network path"}},
	{name: "a connection that is refused", arrange: set(func(v *vaulttest.Vault) { v.Stop() }), want: v1alpha1.ReasonVaultUnreachable,
		class: v1alpha1.ClassTransient, says: []string{"no connection: ", "check the network path"}},
	{name: "TLS, another name", arrange: present(vaulttest.OtherName), want: v1alpha1.ReasonTLSFailure, class: v1alpha1.ClassTransient,
		says: []string{"valid for proxy.example, not localhost", "private endpoint"}},
	{name: "TLS, an untrusted CA", arrange: present(vaulttest.UntrustedCA), want: v1alpha1.ReasonTLSFailure, class: v1alpha1.ClassTransient,
		says: []string{"unknown authority", "--ca-bundle"}},
	{name: "TLS, a certificate that has expired, or a clock ahead", arrange: present(vaulttest.Past), want: v1alpha1.ReasonTLSFailure,
		class: v1alpha1.ClassTransient, says: []string{"the server's certificate expired on ", "according to this node's clock", "correct the clock if it is wrong"}},
	{name: "TLS, a certificate that is not yet valid, or a clock behind", arrange: present(vaulttest.Future), want: v1alpha1.ReasonTLSFailure,
		class: v1alpha1.ClassTransient, says: []string{"the server's certificate is not valid before ", "according to this node's clock"}},
	{name: "no TLS at all", arrange: func(t *testing.T, f *fixture) { f.plainServer(t) }, secret: "https://plain.localhost/secrets/word",
		want: v1alpha1.ReasonTLSFailure, class: v1alpha1.ClassTransient, says: []string{"TLS: ", "check what is between"}},
}
