// Package certstore plans what belongs in a node's certificate stores, as pure functions, and defines the interfaces to them: Store
// and Machine. The implementations are in windows (Windows' own store) and directory (files). Both pass the conformance suite in
// storetest.
package certstore

import (
	"context"
	"crypto"
	"crypto/sha1" //nolint:gosec // a thumbprint is a name here, not a protection
	"crypto/x509"
	"encoding/hex"
	"strings"
)

// Location is a system store location.
type Location string

// Store locations.
const (
	LocalMachine Location = "LocalMachine"
	CurrentUser  Location = "CurrentUser"
)

// Names of system stores with a special meaning
// (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
const (
	StoreMY = "MY"
	StoreCA = "CA"
)

// Ref names one store.
type Ref struct {
	Location Location
	Name     string
}

// Same reports whether two references name the same store: Windows compares store names without regard to case.
func (r Ref) Same(other Ref) bool {
	return r.Location == other.Location && strings.EqualFold(r.Name, other.Name)
}

// String returns the reference in the form of Windows tools, such as LocalMachine\MY.
func (r Ref) String() string {
	if r.Name == "" {
		return string(r.Location)
	}
	return string(r.Location) + `\` + r.Name
}

// KeyState is the state of a certificate's private key.
type KeyState string

// Key states.
const (
	// KeyNone is the state of a certificate that refers to no private key.
	KeyNone KeyState = "None"
	// KeyPresent is the state of a certificate whose private key can be opened without user interaction.
	KeyPresent KeyState = "Present"
	// KeyMissing is the state of a certificate that refers to a private key that cannot be opened.
	KeyMissing KeyState = "Missing"
)

// Item is one certificate to install in a store.
type Item struct {
	// Certificate is the certificate.
	Certificate *x509.Certificate
	// Key is its private key, nil for a certificate without one.
	Key crypto.Signer
	// Mark is stored with the certificate. Its Exportable and Provider are the key options; a store without key storage providers
	// only keeps them.
	Mark Mark
	// FriendlyName is the name that Windows tools show, empty for none.
	FriendlyName string
	// Access is the access list of the key, as KeyAccess writes it; empty leaves the store's default for a new key.
	Access string
}

// Entry is one certificate in a store, as read back from it.
type Entry struct {
	// Certificate is the certificate.
	Certificate *x509.Certificate
	// Thumbprint is its SHA-1 hash in upper-case hexadecimal digits.
	Thumbprint string
	// Mark is Vaultpane's mark; nil if another tool installed the certificate.
	Mark *Mark
	// UnknownMark is true if the mark has a later format or is damaged: the certificate is Vaultpane's, but nothing may be
	// concluded from its mark, so it is not changed. Mark is nil then.
	UnknownMark bool
	// Key is the state of the private key.
	Key KeyState
	// FriendlyName is the name that Windows tools show.
	FriendlyName string
	// OwnKey is true if the private key is in a place that only Vaultpane uses. It identifies a certificate of Vaultpane that has
	// lost its mark.
	OwnKey bool
	// Access is the access list of the private key, in the form of KeyAccess; empty if it is unknown or there is no key. It equals
	// Item.Access after an installation.
	Access string
	// Successor is the thumbprint of the certificate that this one is linked to as its renewal, empty for none.
	Successor string
}

// Change is a change of an existing certificate. A nil field stays unchanged.
type Change struct {
	// Mark replaces the mark.
	Mark *Mark
	// Access replaces the access list of the private key, in the form of KeyAccess.
	Access *string
	// Successor links the certificate to its renewal, by thumbprint; empty removes the link.
	Successor *string
}

// Store is the interface to the certificate stores of a machine. Implementations are safe for concurrent use. Every method may be
// interrupted at any point, also by the end of the process, and called again: an installation writes the key before the
// certificate, and a removal deletes the certificate before the key, so no program ever finds one of Vaultpane's certificates
// without its key. RemoveOrphanedKeys removes keys that an interruption leaves. Errors are *Error.
//
// What a store must keep with each certificate: the mark, the friendly name, the access list and the successor, each as a text, and
// whether the key is in a place that only Vaultpane uses (OwnKey). A store without accounts keeps the access list without
// applying it, and returns the text that it was given: the plan compares texts. A store without key storage providers ignores
// Mark.Provider and Mark.Exportable, or returns an Error with Unsupported. docs/architecture.md, "A third store", lists what else
// an implementation needs.
type Store interface {
	// List returns every certificate of a store, in any order; a store that does not exist is empty. It includes certificates that
	// Go's parser rejects, and an unreadable entry does not hide others.
	List(ref Ref) ([]Entry, error)
	// Find returns one certificate of a store, nil if the store does not contain it.
	Find(ref Ref, thumbprint string) (*Entry, error)
	// Install installs a certificate with its key and mark, and returns the entry as read back. If the store contains the
	// certificate, Install replaces its key, mark, friendly name and access list atomically, and keeps its successor. The caller
	// has made sure that the existing certificate is Vaultpane's.
	Install(ref Ref, item Item) (*Entry, error)
	// Update changes properties of an existing certificate, and returns the entry as read back. The key itself stays.
	Update(ref Ref, thumbprint string, change Change) (*Entry, error)
	// Remove removes a certificate and then its key. A certificate that does not exist is not an error. A key that another
	// certificate of the location uses stays.
	Remove(ref Ref, thumbprint string) error
	// OrphanedKeys returns the names of Vaultpane's private keys in a location that no certificate refers to, which a killed
	// process leaves.
	OrphanedKeys(location Location) ([]string, error)
	// RemoveOrphanedKeys removes them and unfinished files, and returns how many it removed. Only one agent may run on the machine:
	// an installation in progress in another process would look like an interrupted one.
	RemoveOrphanedKeys(location Location) (removed int, err error)
	// Stores returns the stores of a location that exist.
	Stores(location Location) ([]Ref, error)
}

// Machine is the interface to what surrounds the stores of a machine: accounts, TLS bindings, notifications. Implementations
// are safe for concurrent use. A machine without one of these returns an empty result and no error.
type Machine interface {
	// Resolve returns the security identifier of an account as text. It is empty if the machine has no Windows accounts: the
	// account is then left out of access lists. An account that does not exist is an *UnknownAccount.
	Resolve(account string) (sid string, err error)
	// Bindings returns what is configured with the machine's certificates, TLS bindings such as 0.0.0.0:443 and programs such as
	// "Remote Desktop", by thumbprint. Superseded certificates that are bound are kept; if Bindings fails, all of them are.
	Bindings() (map[string][]string, error)
	// Announce notifies programs that a certificate was replaced by another of the same store, as Windows' own renewal does. A
	// machine without such notifications returns nil.
	Announce(ctx context.Context, ref Ref, thumbprint, successor string) error
	// Watch calls changed after changes of a store by any process, until the context ends; then it returns nil. A machine that
	// cannot watch waits for the context. It is a fast path: periodic store checks find the changes that it misses.
	Watch(ctx context.Context, ref Ref, changed func()) error
}

// Thumbprint returns the SHA-1 hash of a certificate in upper-case hexadecimal digits, as Windows tools show it.
func Thumbprint(certificate *x509.Certificate) string {
	sum := sha1.Sum(certificate.Raw) //nolint:gosec // as above
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
