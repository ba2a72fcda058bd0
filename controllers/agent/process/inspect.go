package process

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
)

// StoredCertificate is one certificate of the machine, for a person at the node.
type StoredCertificate struct {
	// Store is where it is, such as LocalMachine\MY.
	Store string `json:"store"`
	// Thumbprint is its SHA-1 hash in upper-case hexadecimal digits.
	Thumbprint string `json:"thumbprint"`
	// Subject is its subject's distinguished name.
	Subject string `json:"subject"`
	// NotAfter is the end of its validity, in UTC.
	NotAfter time.Time `json:"notAfter"`
	// Key is None, Present or Missing.
	Key string `json:"key"`
	// FriendlyName is what Windows tools show.
	FriendlyName string `json:"friendlyName,omitempty"`
	// Owner is the ObservedCertificate that it was installed for, empty for a certificate that is not Vaultpane's.
	Owner string `json:"owner,omitempty"`
	// Version is the Key Vault version that it came from.
	Version string `json:"version,omitempty"`
	// Intermediate is true for a certificate that came along with its owner's chain.
	Intermediate bool `json:"intermediate,omitempty"`
	// Access is who may use a private key of Vaultpane's, as an access list in SDDL in which accounts are SIDs.
	Access string `json:"access,omitempty"`
	// Successor is the thumbprint of the certificate that Windows takes this one to be renewed by.
	Successor string `json:"successor,omitempty"`
}

// Inspect lists what the machine's stores hold, without a cluster: what Vaultpane installed and what else is in MY, or
// with all everything. storePath is the folder of the directory store, unused on Windows.
func Inspect(storePath string, all bool) ([]StoredCertificate, error) {
	store, err := openStore(storePath)
	if err != nil {
		return nil, fmt.Errorf("opening the certificate store: %w", err)
	}
	return inspect(store, all)
}

func inspect(store certstore.Store, all bool) ([]StoredCertificate, error) {
	rows := []StoredCertificate{}
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		refs, err := store.Stores(location)
		if err != nil {
			return nil, fmt.Errorf("listing the stores of %s: %w", location, err)
		}
		for _, ref := range refs {
			entries, err := store.List(ref)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", ref, err)
			}
			for _, entry := range entries {
				if all || entry.Mark != nil || entry.UnknownMark || strings.EqualFold(ref.Name, certstore.StoreMY) {
					rows = append(rows, rowOf(ref, entry))
				}
			}
		}
	}
	slices.SortFunc(rows, func(a, b StoredCertificate) int {
		return cmp.Or(strings.Compare(a.Store, b.Store), strings.Compare(a.Subject, b.Subject), a.NotAfter.Compare(b.NotAfter), strings.Compare(a.Thumbprint, b.Thumbprint))
	})
	return rows, nil
}

func rowOf(ref certstore.Ref, entry certstore.Entry) StoredCertificate {
	printed := StoredCertificate{
		Store: ref.String(), Thumbprint: entry.Thumbprint, Subject: entry.Certificate.Subject.String(),
		NotAfter: entry.Certificate.NotAfter.UTC(), Key: string(entry.Key), FriendlyName: entry.FriendlyName,
		Access: entry.Access, Successor: entry.Successor,
	}
	if entry.Mark != nil {
		printed.Owner, printed.Version, printed.Intermediate = entry.Mark.Name, entry.Mark.Version, entry.Mark.Role == certstore.RoleIntermediate
	}
	return printed
}
