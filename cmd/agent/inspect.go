package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// storedCertificate is one certificate of the machine, for a person at the node. The JSON names are stable: fields may be
// added, and none is renamed or taken away.
type storedCertificate struct {
	// Store is where it is, such as LocalMachine\MY.
	Store string `json:"store"`
	// Thumbprint is its SHA-1 hash in upper-case hexadecimal digits.
	Thumbprint string `json:"thumbprint"`
	// Subject is its subject's distinguished name.
	Subject string `json:"subject"`
	// NotBefore and NotAfter are the begin and the end of its validity, in UTC.
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	// Key is None, Present or Missing.
	Key string `json:"key"`
	// FriendlyName is what Windows tools show.
	FriendlyName string `json:"friendlyName,omitempty"`
	// Owner is the ObservedCertificate that it was installed for, empty for a certificate that is not Vaultpane's.
	Owner string `json:"owner,omitempty"`
	// Version is the Key Vault version that it came from.
	Version string `json:"version,omitempty"`
	// Role is leaf, intermediate or trusted; empty for a certificate that is not Vaultpane's.
	Role string `json:"role,omitempty"`
	// Intermediate is true for a certificate that came along with its owner's chain, as Role says too.
	Intermediate bool `json:"intermediate,omitempty"`
	// UnknownMark is true where Vaultpane's mark is there and cannot be read by this version, MarkLost where the key is
	// Vaultpane's and the mark is gone.
	UnknownMark bool `json:"unknownMark,omitempty"`
	MarkLost    bool `json:"markLost,omitempty"`
	// DeletionPolicy, Exportable and Provider are what the mark says: what becomes of it when its ObservedCertificate goes,
	// whether its key can be exported, and which key storage provider has that.
	DeletionPolicy string `json:"deletionPolicy,omitempty"`
	Exportable     bool   `json:"keyExportable,omitempty"`
	Provider       string `json:"keyStorageProvider,omitempty"`
	// Access is who may use its key, as SDDL: FA is everything, FR reading. Known of keys that are Vaultpane's.
	Access string `json:"access,omitempty"`
	// Successor is the thumbprint of the certificate that it is linked to as renewed by.
	Successor string `json:"successor,omitempty"`
	// UsedBy is what http.sys serves with it, such as 0.0.0.0:443.
	UsedBy []string `json:"usedBy,omitempty"`
}

// listing is what Inspect found.
type listing struct {
	// Certificates are the certificates, by store and subject.
	Certificates []storedCertificate
	// Unbound says why it is not known what http.sys serves with them, nil where that is known.
	Unbound error
}

// inspect lists what the machine's stores hold, without a cluster: what Vaultpane installed and what else is in MY, or
// with all everything.
func inspect(store certstore.Store, machine certstore.Machine, all bool) (listing, error) {
	held, err := readAll(store)
	if err != nil {
		return listing{}, err
	}
	listing := listing{Certificates: []storedCertificate{}}
	bound, err := machine.Bindings()
	if err != nil {
		listing.Unbound = fmt.Errorf("asking http.sys for its bindings: %w", err)
	}
	for ref, entries := range held {
		for _, entry := range entries {
			if all || entry.Ours() || strings.EqualFold(ref.Name, certstore.StoreMY) {
				listing.Certificates = append(listing.Certificates, rowOf(ref, entry, bound))
			}
		}
	}
	slices.SortFunc(listing.Certificates, func(a, b storedCertificate) int {
		return cmp.Or(strings.Compare(a.Store, b.Store), strings.Compare(a.Subject, b.Subject), a.NotAfter.Compare(b.NotAfter), strings.Compare(a.Thumbprint, b.Thumbprint))
	})
	return listing, nil
}

// readAll reads every store of the machine.
func readAll(store certstore.Store) (map[certstore.Ref][]certstore.Entry, error) {
	held := map[certstore.Ref][]certstore.Entry{}
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		refs, err := store.Stores(location)
		if err != nil {
			return nil, fmt.Errorf("listing the stores of %s: %w", location, err)
		}
		for _, ref := range refs {
			if held[ref], err = store.List(ref); err != nil {
				return nil, fmt.Errorf("reading %s: %w", ref, err)
			}
		}
	}
	return held, nil
}

// safe makes text that a certificate or another tool brought fit for a terminal. A name in a certificate has no bound of its own.
func safe(text string) string { return truncate.Line(text, 1024) }

func rowOf(ref certstore.Ref, entry certstore.Entry, bound map[string][]string) storedCertificate {
	row := storedCertificate{
		Store: safe(ref.String()), Thumbprint: entry.Thumbprint, Subject: safe(entry.Certificate.Subject.String()),
		NotBefore: entry.Certificate.NotBefore.UTC(), NotAfter: entry.Certificate.NotAfter.UTC(),
		Key: string(entry.Key), FriendlyName: safe(entry.FriendlyName), UnknownMark: entry.UnknownMark,
		MarkLost: entry.Ours() && entry.Mark == nil && !entry.UnknownMark,
		Access:   entry.Access, Successor: entry.Successor,
	}
	if ref.Location == certstore.LocalMachine { // http.sys looks nowhere else
		row.UsedBy = slices.Sorted(slices.Values(bound[entry.Thumbprint]))
	}
	if mark := entry.Mark; mark != nil {
		row.Owner, row.Version, row.Role = safe(mark.Name), safe(mark.Version), string(mark.Role)
		row.Intermediate = mark.Role == certstore.RoleIntermediate
		row.DeletionPolicy, row.Exportable, row.Provider = mark.DeletionPolicy, mark.Exportable, mark.Provider
	}
	return row
}
