package storecommand

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// readOnlyStore is a store with the same certificate, which Vaultpane did not install, in two locations; it can be read and
// nothing else.
type readOnlyStore struct {
	certstore.Store
	unreadable error
}

func (s readOnlyStore) Stores(location certstore.Location) ([]certstore.Ref, error) {
	return []certstore.Ref{{Location: location, Name: "My"}}, nil
}

func (s readOnlyStore) List(certstore.Ref) ([]certstore.Entry, error) {
	return []certstore.Entry{{Certificate: &x509.Certificate{}, Thumbprint: "AA", Key: certstore.KeyPresent}}, s.unreadable
}

// host is a machine with bindings.
type host struct {
	certstore.Machine
	bound map[string][]string
	err   error
}

func (h host) Bindings() (map[string][]string, error) { return h.bound, h.err }

// http.sys looks for certificates in LocalMachine only.
func TestBindingsAreThoseOfTheMachinesStores(t *testing.T) {
	listing, err := inspect(readOnlyStore{}, host{bound: map[string][]string{"AA": {"shop.example:443", "0.0.0.0:443"}, "BB": {"[::]:443"}}}, false)
	if err != nil || listing.Unbound != nil {
		t.Fatal(err, listing.Unbound)
	}
	got := map[string][]string{}
	for _, certificate := range listing.Certificates {
		got[certificate.Store] = certificate.UsedBy
	}
	want := map[string][]string{`LocalMachine\My`: {"0.0.0.0:443", "shop.example:443"}, `CurrentUser\My`: nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what uses the certificates differs (-want +got):\n%s", diff)
	}
}

func TestUnknownBindingsDoNotHideTheCertificates(t *testing.T) {
	away := errors.New("http.sys is away")
	listing, err := inspect(readOnlyStore{}, host{err: away}, false)
	if err != nil || len(listing.Certificates) != 2 || !errors.Is(listing.Unbound, away) {
		t.Errorf("got %+v, error %v; want both certificates, and why it is not known what uses them", listing, err)
	}
}

func TestAStoreThatCannotBeReadIsNamed(t *testing.T) {
	denied := errors.New("access is denied")
	if _, err := inspect(readOnlyStore{unreadable: denied}, host{}, true); !errors.Is(err, denied) || err.Error() != `reading LocalMachine\My: access is denied` {
		t.Errorf("got error %v", err)
	}
}
