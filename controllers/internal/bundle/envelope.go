package bundle

import "encoding/asn1"

// The outer parts of a PFX (RFC 7292, sections 4 and 4.1), as far as they have to be told apart before go-pkcs12 reads what
// is in them. Elements that go-pkcs12 takes as they are stay raw.
type (
	pfxPDU struct {
		Version  int
		AuthSafe contentInfo
		MACData  asn1.RawValue `asn1:"optional"`
	}
	contentInfo struct {
		ContentType asn1.ObjectIdentifier
		Content     asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	safeBag struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue `asn1:"tag:0,explicit"`
		// Attributes is as in go-pkcs12, so that what it reads is read here.
		Attributes []attribute `asn1:"set,optional"`
	}
)

var (
	oidData           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidKeyBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedKeyBag = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
)

// envelope is an opened PFX. Its parts are pieces of the PFX, not copies, unless noted.
type envelope struct {
	// bags are the bags of all safes that are not encrypted as a whole, among them at most one with a key.
	bags [][]byte
	// hasKey tells that there is one with a key.
	hasKey bool
	// provider is the key storage provider that the bag with the key names.
	provider string
	// named are the bags of certificates among bags.
	named []safeBag
	// sealed are the safes that are encrypted as a whole.
	sealed [][]byte
	// iterations is the sum of all iteration counts.
	iterations int
	// owned are the copies that encoding/asn1 made of safes that are not encrypted; wipe overwrites them.
	owned [][]byte
}

func (e *envelope) wipe() {
	for _, buffer := range e.owned {
		clear(buffer)
	}
}

// open takes a PFX apart. The caller wipes the envelope, also after an error.
func (e *envelope) open(der []byte) error {
	var pfx pfxPDU
	var content []byte
	var safes []asn1.RawValue
	if !decode(der, &pfx) || pfx.Version != 3 || !pfx.AuthSafe.ContentType.Equal(oidData) ||
		!decode(pfx.AuthSafe.Content.Bytes, &content) {
		return errNotPFX(der)
	}
	e.owned = append(e.owned, content)
	if !decode(content, &safes) {
		return errNotPFX(der)
	}
	e.iterations = iterationsIn(pfx.MACData.FullBytes)
	for _, safe := range safes {
		if err := e.addSafe(safe.FullBytes); err != nil {
			return err
		}
	}
	return nil
}

func (e *envelope) addSafe(der []byte) error {
	var safe contentInfo
	if !decode(der, &safe) {
		return errDamagedPFX()
	}
	switch {
	case safe.ContentType.Equal(oidEncryptedData):
		e.iterations = addIterations(e.iterations, iterationsIn(safe.Content.Bytes))
		e.sealed = append(e.sealed, der)
		return nil
	case safe.ContentType.Equal(oidData):
		var content []byte
		var bags []asn1.RawValue
		if !decode(safe.Content.Bytes, &content) {
			return errDamagedPFX()
		}
		e.owned = append(e.owned, content)
		if !decode(content, &bags) {
			return errDamagedPFX()
		}
		return e.addBags(bags)
	default:
		return malformed("the PFX is encrypted for a certificate or a Windows account: export it with a blank password instead")
	}
}

func (e *envelope) addBags(bags []asn1.RawValue) error {
	for _, raw := range bags {
		var bag safeBag
		if !decode(raw.FullBytes, &bag) {
			return errDamagedPFX()
		}
		switch {
		case bag.ID.Equal(oidKeyBag) || bag.ID.Equal(oidShroudedKeyBag):
			if err := e.addKeyBag(bag); err != nil {
				return err
			}
		case bag.ID.Equal(oidCertBag):
			e.named = append(e.named, bag)
		}
		e.bags = append(e.bags, raw.FullBytes)
	}
	return nil
}

func (e *envelope) addKeyBag(bag safeBag) error {
	if e.hasKey {
		return errSeveralKeys()
	}
	if len(bag.Value.Bytes) > maxKeySize {
		return errKeyTooLarge(len(bag.Value.Bytes))
	}
	e.hasKey = true
	e.iterations = addIterations(e.iterations, iterationsIn(bag.Value.Bytes))
	e.provider = textOf(bag.Attributes, oidProvider)
	return nil
}

// decode reads exactly one DER element into out, as go-pkcs12 does.
func decode(der []byte, out any) bool {
	rest, err := asn1.Unmarshal(der, out)
	return err == nil && len(rest) == 0
}
