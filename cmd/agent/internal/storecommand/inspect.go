package storecommand

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// storedCertificate is one certificate of the machine, as store list prints it. The JSON names are stable: fields may be added, but
// not renamed or removed.
type storedCertificate struct {
	// Store is where it is, such as LocalMachine\MY.
	Store string `json:"store"`
	// Thumbprint is its SHA-1 hash in upper-case hexadecimal digits.
	Thumbprint string `json:"thumbprint"`
	// Subject is the distinguished name of its subject.
	Subject string `json:"subject"`
	// NotBefore and NotAfter limit its validity, in UTC.
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	// Key is None, Present or Missing.
	Key string `json:"key"`
	// FriendlyName is what Windows tools show.
	FriendlyName string `json:"friendlyName,omitempty"`
	// Owner is the ObservedCertificate that it was installed for, empty for a certificate without a mark of Vaultpane.
	Owner string `json:"owner,omitempty"`
	// Version is the Key Vault version that it came from.
	Version string `json:"version,omitempty"`
	// Role is leaf, intermediate or trusted; empty for a certificate without a mark of Vaultpane.
	Role string `json:"role,omitempty"`
	// Intermediate is true for a certificate of its owner's chain, where Role is intermediate.
	Intermediate bool `json:"intermediate,omitempty"`
	// UnknownMark is true where this version cannot read Vaultpane's mark, MarkLost where the key is Vaultpane's and the mark is
	// missing.
	UnknownMark bool `json:"unknownMark,omitempty"`
	MarkLost    bool `json:"markLost,omitempty"`
	// DeletionPolicy, Exportable and Provider are from the mark: what happens to it when its ObservedCertificate is deleted,
	// whether its key can be exported, and which key storage provider holds the key.
	DeletionPolicy string `json:"deletionPolicy,omitempty"`
	Exportable     bool   `json:"keyExportable,omitempty"`
	Provider       string `json:"keyStorageProvider,omitempty"`
	// Access is who may use its key, as SDDL: FA is full access, FR read access. It is known for keys of Vaultpane.
	Access string `json:"access,omitempty"`
	// Successor is the thumbprint of the certificate that it is linked to as its renewal.
	Successor string `json:"successor,omitempty"`
	// UsedBy are the bindings of http.sys that use it, such as 0.0.0.0:443.
	UsedBy []string `json:"usedBy,omitempty"`
}

// listing is the result of inspect.
type listing struct {
	// Certificates are sorted by store and subject.
	Certificates []storedCertificate
	// Unbound is the error of reading the bindings of http.sys, nil where they are known.
	Unbound error
}

// inspect lists the certificates of the machine's stores, without a cluster: those that Vaultpane installed and those in MY, or
// with all every certificate.
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

// safe makes text from a certificate or another tool safe for a terminal, and limits its length: a name in a certificate has no
// limit.
func safe(text string) string { return truncate.Line(text, 1024) }

func rowOf(ref certstore.Ref, entry certstore.Entry, bound map[string][]string) storedCertificate {
	row := storedCertificate{
		Store: safe(ref.String()), Thumbprint: entry.Thumbprint, Subject: safe(entry.Certificate.Subject.String()),
		NotBefore: entry.Certificate.NotBefore.UTC(), NotAfter: entry.Certificate.NotAfter.UTC(),
		Key: string(entry.Key), FriendlyName: safe(entry.FriendlyName), UnknownMark: entry.UnknownMark,
		MarkLost: entry.Ours() && entry.Mark == nil && !entry.UnknownMark,
		Access:   entry.Access, Successor: entry.Successor,
	}
	if ref.Location == certstore.LocalMachine { // http.sys uses no other location
		row.UsedBy = slices.Sorted(slices.Values(bound[entry.Thumbprint]))
	}
	if mark := entry.Mark; mark != nil {
		row.Owner, row.Version, row.Role = safe(mark.Name), safe(mark.Version), string(mark.Role)
		row.Intermediate = mark.Role == certstore.RoleIntermediate
		row.DeletionPolicy, row.Exportable, row.Provider = mark.DeletionPolicy, mark.Exportable, mark.Provider
	}
	return row
}
