package windows

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // a thumbprint is a name here, not a protection
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

// encoded copies a certificate from the system's memory.
func encoded(context *windows.CertContext) []byte {
	return bytes.Clone(unsafe.Slice(context.EncodedCert, context.Length))
}

func thumbprintOf(context *windows.CertContext) string {
	sum := sha1.Sum(unsafe.Slice(context.EncodedCert, context.Length)) //nolint:gosec // as above
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// entryOf reads a certificate with its properties. It returns an entry even if some properties cannot be read, because decisions
// about a whole store need every certificate. An unreadable description may be a mark, so it sets UnknownMark.
func entryOf(context *windows.CertContext) *certstore.Entry {
	raw := encoded(context)
	certificate, err := x509cert.Read(raw)
	if err != nil {
		certificate = &x509.Certificate{Raw: raw} // Windows accepts it, so it counts, with unknown content
	}
	entry := &certstore.Entry{Certificate: certificate, Thumbprint: certstore.Thumbprint(certificate), Key: certstore.KeyNone}
	entry.FriendlyName, _ = textProperty(context, wincrypt.CERT_FRIENDLY_NAME_PROP_ID) // for display only
	description, unreadable := textProperty(context, wincrypt.CERT_DESCRIPTION_PROP_ID)
	mark, ours, err := certstore.ParseMark(description)
	switch {
	case unreadable != nil, ours && err != nil:
		entry.UnknownMark = true
	case ours:
		entry.Mark = &mark
	}
	entry.Successor, _ = successorOf(context) // an unreadable link is written again
	where, err := keyContainer(context)
	if err != nil {
		entry.Key = certstore.KeyMissing
		return entry
	}
	describeKey(entry, where)
	return entry
}

// describeKey sets the key's state and access list. It opens keys of other software too, because their certificate may be the
// desired one. It assumes that keys in hardware are present, because opening a smart card or module every minute would disturb
// its owner.
func describeKey(entry *certstore.Entry, c *keys.Container) {
	if c == nil {
		return
	}
	entry.OwnKey = c.Ours()
	opens := true
	switch {
	case entry.OwnKey && c.InSoftware():
		opens, entry.Access = c.Inspect() // an unreadable list differs from the desired one, and setting it returns the error
	case entry.OwnKey:
		entry.Access, _ = c.Access()
	case c.InSoftware():
		opens = c.Opens()
	}
	entry.Key = certstore.KeyMissing
	if opens {
		entry.Key = certstore.KeyPresent
	}
}

// addCertificate adds a certificate with its properties to a store and returns the container that it referred to before, nil if the
// store did not contain it. It sets the properties before it adds the certificate, because Wine loses properties that are set on a
// context in a store. An existing certificate is replaced atomically, and keeps the properties that other tools set
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddcertificatecontexttostore).
func addCertificate(store windows.Handle, item certstore.Item, where *keys.Container) (before *keys.Container, err error) {
	raw := item.Certificate.Raw
	created, err := windows.CertCreateCertificateContext(encoding, &raw[0], uint32(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	defer func() { err = errors.Join(err, windows.CertFreeCertificateContext(created)) }()
	existing, err := findCertificate(store, certstore.Thumbprint(item.Certificate))
	if err != nil {
		return nil, fmt.Errorf("looking for the certificate: %w", err)
	}
	source := created
	if existing != nil {
		defer func() { err = errors.Join(err, windows.CertFreeCertificateContext(existing)) }()
		if before, err = keyContainer(existing); err != nil {
			return nil, fmt.Errorf("reading the key's container: %w", err)
		}
		source = existing
	}
	return before, replace(store, source, func(copied *windows.CertContext) error {
		return setProperties(copied, item, where)
	})
}

func setProperties(context *windows.CertContext, item certstore.Item, where *keys.Container) error {
	if err := setTextProperty(context, wincrypt.CERT_DESCRIPTION_PROP_ID, item.Mark.String()); err != nil {
		return fmt.Errorf("setting the mark: %w", err)
	}
	if err := setTextProperty(context, wincrypt.CERT_FRIENDLY_NAME_PROP_ID, item.FriendlyName); err != nil {
		return fmt.Errorf("setting the friendly name: %w", err)
	}
	if where == nil {
		return nil
	}
	if err := setKeyContainer(context, *where); err != nil {
		return fmt.Errorf("setting the key's container: %w", err)
	}
	return nil
}

// replace adds a copy of a certificate with changed properties, and replaces an existing one.
func replace(store windows.Handle, source *windows.CertContext, change func(*windows.CertContext) error) (err error) {
	memory, err := windows.CertOpenStore(windows.CERT_STORE_PROV_MEMORY, 0, 0, 0, 0)
	if err != nil {
		return fmt.Errorf("opening a store in memory: %w", err)
	}
	defer func() { err = errors.Join(err, closeStore(memory)) }()
	var copied *windows.CertContext
	if err := windows.CertAddCertificateContextToStore(memory, source, windows.CERT_STORE_ADD_ALWAYS, &copied); err != nil {
		return fmt.Errorf("copying the certificate: %w", err)
	}
	defer func() { err = errors.Join(err, windows.CertFreeCertificateContext(copied)) }()
	if err := change(copied); err != nil {
		return err
	}
	if err := windows.CertAddCertificateContextToStore(store, copied, windows.CERT_STORE_ADD_REPLACE_EXISTING, nil); err != nil {
		return fmt.Errorf("adding the certificate: %w", err)
	}
	// Wine 8 does not write a replacement without this. Windows writes immediately, and providers without commits return an error,
	// which is ignored: the caller reads the certificate back.
	_ = wincrypt.CertControlStore(store, wincrypt.CERT_STORE_CTRL_COMMIT_FORCE_FLAG, wincrypt.CERT_STORE_CTRL_COMMIT, nil)
	return nil
}

// setMark replaces the mark of a certificate in a store; empty removes it.
func setMark(store windows.Handle, thumbprint, mark string) error {
	return withCertificate(store, thumbprint, func(existing *windows.CertContext) error {
		return replace(store, existing, func(copied *windows.CertContext) error {
			return setTextProperty(copied, wincrypt.CERT_DESCRIPTION_PROP_ID, mark)
		})
	})
}

// setAccess replaces the access list of the key of a certificate in a store. The key must be Vaultpane's.
func setAccess(store windows.Handle, thumbprint, access string) error {
	return withCertificate(store, thumbprint, func(existing *windows.CertContext) error {
		where, err := keyContainer(existing)
		if err != nil {
			return fmt.Errorf("reading the key's container: %w", err)
		}
		if where == nil || !where.Ours() {
			return errors.New("its private key is not one of Vaultpane's")
		}
		return where.SetAccess(access)
	})
}

// withCertificate finds a certificate in a store, calls act, and frees the certificate. If the store does not contain it, the
// error is CRYPT_E_NOT_FOUND.
func withCertificate(store windows.Handle, thumbprint string, act func(*windows.CertContext) error) error {
	existing, err := findCertificate(store, thumbprint)
	if err != nil {
		return fmt.Errorf("looking for the certificate: %w", err)
	}
	if existing == nil {
		return windows.Errno(windows.CRYPT_E_NOT_FOUND)
	}
	return errors.Join(act(existing), windows.CertFreeCertificateContext(existing))
}
