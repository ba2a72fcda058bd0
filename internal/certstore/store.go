// Package certstore decides what belongs into a node's certificate store, and defines the door to that store. The
// implementations are in windows (the real one) and directory (files); both pass the suite in storetest.
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

// Names of system stores that have a meaning of their own
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

// String returns the reference as Windows tools write it, such as LocalMachine\MY.
func (r Ref) String() string {
	if r.Name == "" {
		return string(r.Location)
	}
	return string(r.Location) + `\` + r.Name
}

// KeyState says whether a certificate's private key is there.
type KeyState string

// Key states.
const (
	// KeyNone is the state of a certificate that refers to no private key.
	KeyNone KeyState = "None"
	// KeyPresent is the state of a certificate whose private key can be opened without asking a person.
	KeyPresent KeyState = "Present"
	// KeyMissing is the state of a certificate that refers to a private key which cannot be opened.
	KeyMissing KeyState = "Missing"
)

// Item is one certificate to put into a store.
type Item struct {
	// Certificate is the certificate.
	Certificate *x509.Certificate
	// Key is its private key, nil for a certificate alone.
	Key crypto.Signer
	// Mark is written beside the certificate and says that Vaultpane installed it, for whom, and how its key is kept.
	Mark Mark
	// FriendlyName is what Windows tools show a person, empty for none.
	FriendlyName string
	// Access is who may use the key, as KeyAccess writes it; empty leaves what the store gives a new key by itself.
	Access string
}

// Entry is one certificate in a store, as read back from it.
type Entry struct {
	// Certificate is the certificate.
	Certificate *x509.Certificate
	// Thumbprint is its SHA-1 hash in upper-case hexadecimal digits.
	Thumbprint string
	// Mark is Vaultpane's mark; nil where someone else installed the certificate.
	Mark *Mark
	// UnknownMark is true where there is a mark that cannot be read, of a later format or damaged: the certificate is
	// Vaultpane's, but nothing may be concluded from it, so it is left alone. Mark is nil then.
	UnknownMark bool
	// Key says whether the private key is there.
	Key KeyState
	// FriendlyName is what Windows tools show a person.
	FriendlyName string
	// OwnKey is true where the private key has a place that only Vaultpane gives to keys. A certificate of Vaultpane's that
	// has lost its mark is known by it.
	OwnKey bool
	// Access is who may use the private key, in the form of KeyAccess; empty where that is not known or there is no key.
	Access string
	// Successor is the thumbprint of the certificate that the system takes this one to be renewed by, empty for none.
	Successor string
}

// Change is what changes of a certificate that is there; what is nil stays as it is.
type Change struct {
	// Mark replaces the mark.
	Mark *Mark
	// Access replaces who may use the private key; its form is that of KeyAccess.
	Access *string
	// Successor links the certificate to the one that renews it, by thumbprint; empty takes the link away.
	Successor *string
}

// Store is the door to the certificate stores of a machine. Implementations are safe for concurrent use. Every method may
// be interrupted at any point, also by the end of the process, and called again: a certificate comes after its key when it is
// installed and goes before it when it is removed, so that no program ever finds a certificate of Vaultpane's without its key;
// a key that is left over is removed by RemoveOrphanedKeys. Errors are *Error.
type Store interface {
	// List returns every certificate of a store, in no order; a store that does not exist is empty. What Go's parser refuses is
	// among them, and one entry that cannot be read hides no other.
	List(ref Ref) ([]Entry, error)
	// Find returns one certificate of a store, nil if it is not there.
	Find(ref Ref, thumbprint string) (*Entry, error)
	// Install puts a certificate with its key and mark into a store and returns the entry as read back. Where the
	// certificate is already there, its key, mark, friendly name and access are replaced without a moment in which it is
	// gone; the caller has made sure that the entry is one of Vaultpane's.
	Install(ref Ref, item Item) (*Entry, error)
	// Update changes properties of a certificate that is there, and returns the entry as read back. The key itself stays.
	Update(ref Ref, thumbprint string, change Change) (*Entry, error)
	// Remove removes a certificate and then its key; a certificate that is not there is no error. A key that another
	// certificate of the location uses stays.
	Remove(ref Ref, thumbprint string) error
	// OrphanedKeys names the private keys in a location that Vaultpane put there and that no certificate refers to: what a
	// process that was killed left behind.
	OrphanedKeys(location Location) ([]string, error)
	// RemoveOrphanedKeys removes them, and unfinished files, and returns how many there were. Only one agent may work on the
	// machine: an installation in another process would look like one that was cut off.
	RemoveOrphanedKeys(location Location) (removed int, err error)
	// Stores returns the stores of a location that exist.
	Stores(location Location) ([]Ref, error)
}

// Machine is what is asked of the machine around its stores. Implementations are safe for concurrent use.
type Machine interface {
	// Resolve returns the security identifier of an account as text, empty where the machine has no Windows accounts and
	// nothing can be granted. An account that is not there is an *UnknownAccount.
	Resolve(account string) (sid string, err error)
	// Bindings returns what serves TLS with certificates of the machine, such as 0.0.0.0:443, by thumbprint.
	Bindings() (map[string][]string, error)
	// Announce tells whoever listens that a certificate has been replaced by another of the same store, as Windows' own
	// renewal does. That nobody can listen is no error.
	Announce(ctx context.Context, ref Ref, thumbprint, successor string) error
	// Watch calls changed after changes of a store, by whichever process, until the context ends, where the machine can tell
	// of them. It is a fast path: what it misses is found by looking.
	Watch(ctx context.Context, ref Ref, changed func()) error
}

// Thumbprint returns the SHA-1 hash of a certificate in upper-case hexadecimal digits, as every Windows tool shows it.
func Thumbprint(certificate *x509.Certificate) string {
	sum := sha1.Sum(certificate.Raw) //nolint:gosec // as above
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
