package bundle

import (
	"crypto/x509/pkix"
	"encoding/asn1"
)

// The outer parts of a PFX (RFC 7292, sections 4 and 4.1), as far as they have to be told apart before anything is decrypted.
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
		ID         asn1.ObjectIdentifier
		Value      asn1.RawValue `asn1:"tag:0,explicit"`
		Attributes []attribute   `asn1:"set,optional"`
	}
)

// sealedInfo is the content of EncryptedData (RFC 5652, section 8).
type sealedInfo struct {
	Version int
	Info    struct {
		ContentType asn1.ObjectIdentifier
		Algorithm   pkix.AlgorithmIdentifier
		Data        []byte `asn1:"tag:0,optional"`
	}
}

var (
	oidData           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEncryptedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidKeyBag         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedKeyBag = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
)

// envelope is an opened PFX. Its parts are pieces of the PFX, not copies, unless noted.
type envelope struct {
	// mac is MacData, empty if there is none, and content what it was made over.
	mac     asn1.RawValue
	content []byte
	// safes are in the order of the PFX.
	safes []safe
	// iterations is the sum of all iteration counts that can be seen so far.
	iterations int
	// owned are the copies that encoding/asn1 made of safes that are not encrypted, and what was decrypted; wipe overwrites them.
	owned [][]byte
}

// safe is one that is encrypted as a whole, or the bags of one that is not.
type safe struct {
	sealed *encrypted
	bags   []safeBag
}

func (e *envelope) wipe() {
	for _, buffer := range e.owned {
		clear(buffer)
	}
}

// open takes a PFX apart and decrypts nothing. The caller wipes the envelope, also after an error.
func (e *envelope) open(der []byte) error {
	var pfx pfxPDU
	if !decode(der, &pfx) || pfx.Version != 3 {
		return errNotPFX(der)
	}
	if pfx.AuthSafe.ContentType.Equal(oidSignedData) {
		return malformed("the PFX is signed with a certificate, which is not supported: export it with a blank password instead")
	}
	var safes []asn1.RawValue
	if !pfx.AuthSafe.ContentType.Equal(oidData) || !decode(pfx.AuthSafe.Content.Bytes, &e.content) {
		return errNotPFX(der)
	}
	e.owned = append(e.owned, e.content)
	if !decode(e.content, &safes) {
		return errNotPFX(der)
	}
	e.mac, e.iterations = pfx.MACData, iterationsIn(pfx.MACData.FullBytes)
	for _, raw := range safes {
		if err := e.addSafe(raw.FullBytes); err != nil {
			return err
		}
	}
	return nil
}

func (e *envelope) addSafe(der []byte) error {
	var info contentInfo
	if !decode(der, &info) {
		return errDamagedPFX()
	}
	switch {
	case info.ContentType.Equal(oidEncryptedData):
		var sealed sealedInfo
		if !decode(info.Content.Bytes, &sealed) {
			return errDamagedPFX()
		}
		e.iterations = addIterations(e.iterations, iterationsIn(info.Content.Bytes))
		e.safes = append(e.safes, safe{sealed: &encrypted{sealed.Info.Algorithm, sealed.Info.Data}})
		return nil
	case info.ContentType.Equal(oidData):
		var content []byte
		if !decode(info.Content.Bytes, &content) {
			return errDamagedPFX()
		}
		e.owned = append(e.owned, content)
		bags, ok := bagsIn(content)
		if !ok {
			return errDamagedPFX()
		}
		e.safes = append(e.safes, safe{bags: bags})
		return e.countKeys(bags)
	default:
		return malformed("the PFX is encrypted for a certificate or a Windows account: export it with a blank password instead")
	}
}

// bagsIn reads SafeContents.
func bagsIn(content []byte) ([]safeBag, bool) {
	var raw []asn1.RawValue
	if !decode(content, &raw) {
		return nil, false
	}
	bags := make([]safeBag, 0, len(raw))
	for _, r := range raw {
		var bag safeBag
		if !decode(r.FullBytes, &bag) {
			return nil, false
		}
		bags = append(bags, bag)
	}
	return bags, true
}

// countKeys adds what the encryption of keys costs, and refuses more than can be paid.
func (e *envelope) countKeys(bags []safeBag) error {
	for _, bag := range bags {
		if !bag.hasKey() {
			continue
		}
		if len(bag.Value.Bytes) > maxKeySize {
			return errKeyTooLarge(len(bag.Value.Bytes))
		}
		e.iterations = addIterations(e.iterations, iterationsIn(bag.Value.Bytes))
	}
	return e.affordable()
}

func (e *envelope) affordable() error {
	if e.iterations <= maxIterations {
		return nil
	}
	return malformed("the PFX's iteration counts add up to more than %d: export it again with a lower count, which "+
		"costs nothing where the password is blank", maxIterations)
}

// bagsOf returns the bags of a safe and decrypts it if need be.
func (e *envelope) bagsOf(s safe) ([]safeBag, error) {
	if s.sealed == nil {
		return s.bags, nil
	}
	var bags []safeBag
	err := s.sealed.open(func(plain []byte) bool {
		var ok bool
		if bags, ok = bagsIn(plain); ok {
			e.owned = append(e.owned, plain)
		}
		return ok
	})
	if err != nil {
		return nil, errSealed("the certificates", err)
	}
	return bags, e.countKeys(bags)
}

func (b safeBag) hasKey() bool { return b.ID.Equal(oidKeyBag) || b.ID.Equal(oidShroudedKeyBag) }

// decode reads exactly one DER element into out.
func decode(der []byte, out any) bool {
	rest, err := asn1.Unmarshal(der, out)
	return err == nil && len(rest) == 0
}
