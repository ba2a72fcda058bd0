package bundle

import (
	"encoding/asn1"
	"errors"
)

// readPFX reads the base64 text of a PFX (RFC 7292) with a blank password, also inside the PEM that certutil -encode writes.
func (c *contents) readPFX(value []byte) error {
	der, err := unwrapPFX(value)
	defer clear(der)
	if err != nil {
		return err
	}
	return c.addPFX(der)
}

func (c *contents) addPFX(der []byte) error {
	var e envelope
	defer e.wipe()
	if err := e.open(der); err != nil {
		return err
	}
	if err := e.affordable(); err != nil {
		return err
	}
	if !blankPassword(e.mac, e.content) {
		return malformed("the PFX has a password or is damaged: import it as a certificate (az keyvault certificate import " +
			"--password), which takes the password off, or export it with a blank one")
	}
	for _, safe := range e.safes {
		bags, err := e.bagsOf(safe)
		if err != nil {
			return err
		}
		for _, bag := range bags {
			if err := c.addBag(bag); err != nil {
				return err
			}
		}
	}
	return nil
}

// addBag takes a certificate or a key and passes over other kinds, such as revocation lists.
func (c *contents) addBag(bag safeBag) error {
	switch {
	case bag.ID.Equal(oidCertBag):
		return c.addCertBag(bag)
	case bag.hasKey():
		return c.addKeyBag(bag)
	}
	return nil
}

var oidX509Certificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}

// addCertBag takes a certificate (RFC 7292, section 4.2.3) and its friendly name.
func (c *contents) addCertBag(raw safeBag) error {
	c.read++
	var bag struct {
		ID   asn1.ObjectIdentifier
		Data []byte `asn1:"tag:0,explicit"`
	}
	if !decode(raw.Value.Bytes, &bag) {
		return malformed("certificate %d of the PFX cannot be read: the bag around it is damaged; import the PFX again", c.read)
	}
	if !bag.ID.Equal(oidX509Certificate) {
		return malformed("certificate %d of the PFX is not an X.509 certificate (its type is %s): export only X.509 certificates",
			c.read, bag.ID)
	}
	certificate, err := ReadCertificate(bag.Data)
	if err != nil {
		return errCertificate("the PFX", c.read, bag.Data)
	}
	c.addName(string(bag.Data), textOf(raw.Attributes, oidFriendlyName))
	return c.addCertificate(certificate)
}

// addKeyBag takes a key, in the clear (RFC 7292, section 4.2.1) or encrypted (section 4.2.2).
func (c *contents) addKeyBag(bag safeBag) error {
	if c.key != nil {
		return errSeveralKeys()
	}
	c.provider = textOf(bag.Attributes, oidProvider)
	if bag.ID.Equal(oidKeyBag) {
		return c.addKeyDER(bag.Value.Bytes)
	}
	var sealed encrypted
	if !decode(bag.Value.Bytes, &sealed) {
		return errDamagedPFX()
	}
	var failure error
	err := sealed.open(func(plain []byte) bool {
		if !isSequence(plain) {
			return false
		}
		failure = c.addKeyDER(plain)
		clear(plain)
		return true
	})
	if err != nil {
		return errSealed("the private key", err)
	}
	return failure
}

func (c *contents) addKeyDER(der []byte) error {
	key, err := parseKey(der)
	if err != nil {
		return err
	}
	return c.addKey(key)
}

// isSequence tells whether DER is one SEQUENCE from beginning to end, as a key is.
func isSequence(der []byte) bool {
	var element asn1.RawValue
	return decode(der, &element) && element.Class == asn1.ClassUniversal && element.Tag == asn1.TagSequence && element.IsCompound
}

// errNotPFX says what there is instead of a PFX, or what part of it is missing.
func errNotPFX(der []byte) error {
	const remedy = "import the PFX as a certificate, which writes it anew"
	f, known := formOf(der)
	size, whole := elementSize(der)
	switch {
	case known && f != formPFX:
		return wrongForm(ContentTypePFX, "base64 of "+f.what, f.remedy)
	case len(der) == 0 || der[0] != tagSequence[0]:
		return malformed("the value is base64, but not of a PFX: import the PFX as a certificate")
	case size == 0:
		return malformed("the value is base64, but not of a PFX in DER: if it is a PFX in BER, %s", remedy)
	case !whole:
		return malformed("the value is base64 of something cut short (%d of %d bytes): store all of the PFX again, or %s", len(der), size, remedy)
	case size < len(der):
		return malformed("the value is base64 of a PFX and %d bytes behind its end: %s", len(der)-size, remedy)
	}
	return malformed("the value is base64, but not of a PFX of version 3 that is whole: %s", remedy)
}

func errDamagedPFX() error {
	return malformed("the PFX is damaged: import it again")
}

// errSealed explains why a part of the PFX, which is named by what makers of PFX put there, cannot be decrypted.
func errSealed(part string, err error) error {
	var missing notSupported
	if errors.As(err, &missing) {
		return malformed("%s in the PFX cannot be decrypted: %s is not supported; export the PFX with AES-256 or 3DES", part, missing)
	}
	return malformed("%s in the PFX cannot be decrypted: the PFX has a password or is damaged; import it as a certificate "+
		"(az keyvault certificate import --password), which takes the password off, or export it with a blank one", part)
}
