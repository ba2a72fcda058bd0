package pkcs12

import (
	"encoding/asn1"
	"errors"

	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

var (
	oidKeyBag          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedKeyBag  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidX509Certificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
)

// Bag is a SafeBag (RFC 7292, section 4.2). Its bytes belong to the File.
type Bag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue `asn1:"tag:0,explicit"`
	Attributes []attribute   `asn1:"set,optional"`
}

// HasCertificate reports whether the bag holds a certificate.
func (b Bag) HasCertificate() bool { return b.ID.Equal(oidCertBag) }

// HasKey reports whether the bag holds a private key.
func (b Bag) HasKey() bool { return b.ID.Equal(oidKeyBag) || b.ID.Equal(oidShroudedKeyBag) }

// FriendlyName returns the bag's friendly name (RFC 2985, section 5.5.1) in printable form, empty if it has none.
func (b Bag) FriendlyName() string { return textOf(b.Attributes, oidFriendlyName) }

// ProviderName returns the key storage provider of a key's bag in printable form, empty if it names none.
func (b Bag) ProviderName() string { return textOf(b.Attributes, oidProvider) }

// Certificate returns the DER of a certificate (RFC 7292, section 4.2.3). number is the certificate's number in messages.
func (b Bag) Certificate(number int) (der []byte, err error) {
	var bag struct {
		ID   asn1.ObjectIdentifier
		Data []byte `asn1:"tag:0,explicit"`
	}
	if !tlv.Decode(b.Value.Bytes, &bag) {
		return nil, failure.Malformed("certificate %d of the PFX cannot be read: the bag that holds it is damaged; import the PFX again", number)
	}
	if !bag.ID.Equal(oidX509Certificate) {
		return nil, failure.Malformed("certificate %d of the PFX is not an X.509 certificate (its type is %s): export only X.509 certificates",
			number, bag.ID)
	}
	return bag.Data, nil
}

// Key passes the DER of a private key to take, and returns its error. The key is in the clear (RFC 7292, section 4.2.1) or
// encrypted (section 4.2.2); decrypted bytes are overwritten when take has returned.
func (b Bag) Key(take func(der []byte) error) error {
	if b.ID.Equal(oidKeyBag) {
		return take(b.Value.Bytes)
	}
	var sealed encrypted
	if !tlv.Decode(b.Value.Bytes, &sealed) {
		return errDamaged()
	}
	var result error
	err := sealed.open(func(plain []byte) bool {
		if !isSequence(plain) {
			return false
		}
		result = take(plain)
		clear(plain)
		return true
	})
	if err != nil {
		return errSealed("the private key", err)
	}
	return result
}

// isSequence reports whether DER is one SEQUENCE from beginning to end, as a key is.
func isSequence(der []byte) bool {
	var element asn1.RawValue
	return tlv.Decode(der, &element) && element.Class == asn1.ClassUniversal && element.Tag == asn1.TagSequence && element.IsCompound
}

// errSealed explains why a part of the PFX, named by its usual content, cannot be decrypted.
func errSealed(part string, err error) error {
	var missing notSupported
	if errors.As(err, &missing) {
		return failure.Malformed("%s in the PFX cannot be decrypted: %s is not supported; export the PFX with AES-256 or 3DES", part, missing)
	}
	return failure.Malformed("%s in the PFX cannot be decrypted: the PFX has a password or is damaged; import it as a certificate "+
		"(az keyvault certificate import --password), which removes the password, or export it with a blank one", part)
}
