package engine

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

func TestUnsupportedNamesTheField(t *testing.T) {
	tests := []struct {
		name string
		spec v1alpha1.ObservedCertificateSpec
		want string
	}{
		{"what is built", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "MY", KeyExportable: true}, ""},
		{"a store of the user's own choice", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "WebHosting"}, ""},
		{"accounts and links", v1alpha1.ObservedCertificateSpec{Accounts: []string{"x"}, LinkOnRenewal: true}, ""},
		{"a store that holds trust", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "ROOT"}, ""},
		{"accounts where there is no key", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "ca", Accounts: []string{"x"}}, "accounts"},
		{"linkOnRenewal where there is no key", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "TrustedPeople", LinkOnRenewal: true}, "linkOnRenewal"},
		{"a field for each", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "Root", KeyExportable: true}, "keyExportable: true in the store Root, which receives public certificates"},
		{"a display name", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "Personal"}, "display name; the store's own name is MY"},
		{"a display name of several words", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "Trusted Root Certification Authorities"}, "own name is Root"},
		{"a store's own name with a blank", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "Trusted People"}, "own name is TrustedPeople"},
		{"a store's own name", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "trustedpeople"}, ""},
		{"a store whose own name has a blank", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "Remote Desktop"}, ""},
		{"the roots of a user", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "Root", CertificateStoreLocation: "CURRENT_USER"}, "use LocalMachine"},
		{"requireInitialSync, which is the controller's business", v1alpha1.ObservedCertificateSpec{RequireInitialSync: true}, ""},
		{"a store of Windows' own", v1alpha1.ObservedCertificateSpec{CertificateStoreName: "Disallowed"}, "certificateStoreName"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := unsupported(test.spec); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("got %q, want something about %q", got, test.want)
			}
		})
	}
}

func TestStoreRef(t *testing.T) {
	tests := []struct {
		name, store string
		location    v1alpha1.StoreLocation
		want        certstore.Ref
	}{
		{"defaults", "", "", certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}},
		{"the spelling of 2017", "MY", "LOCAL_MACHINE", certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}},
		{"the user's", "My", "CURRENT_USER", certstore.Ref{Location: certstore.CurrentUser, Name: "MY"}},
		{"another store", "WebHosting", "LocalMachine", certstore.Ref{Location: certstore.LocalMachine, Name: "WebHosting"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := storeRef(v1alpha1.ObservedCertificateSpec{CertificateStoreName: test.store, CertificateStoreLocation: test.location})
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
