package pkcs12

import (
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
	"github.com/vaultpane/vaultpane/internal/bundle/privatekey"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// The outer parts of a PFX (RFC 7292, sections 4 and 4.1), as far as they are read before anything is decrypted.
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
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
)

// File is an opened PFX. Its parts are slices of the PFX, not copies, unless noted.
type File struct {
	// mac is MacData, empty if there is none, and content what it authenticates.
	mac     asn1.RawValue
	content []byte
	// safes are in the order of the PFX.
	safes []safe
	// iterations is the sum of all iteration counts that have been found so far.
	iterations int
	// owned are the copies that encoding/asn1 made of safes that are not encrypted, and decrypted bytes; Wipe overwrites them.
	owned [][]byte
}

// safe is one that is encrypted as a whole, or the bags of one that is not.
type safe struct {
	sealed *encrypted
	bags   []Bag
}

// Open parses a PFX and checks that its password is blank, without decrypting anything. Errors are *failure.Error. The caller
// wipes the File.
func Open(der []byte) (*File, error) {
	f := &File{}
	err := f.open(der)
	if err == nil {
		err = f.checkIterations()
	}
	if err == nil && !blankPassword(f.mac, f.content) {
		err = failure.Malformed("the PFX has a password or is damaged: import it as a certificate (az keyvault certificate import " +
			"--password), which removes the password, or export it with a blank one")
	}
	if err != nil {
		f.Wipe()
		return nil, err
	}
	return f, nil
}

// Wipe overwrites the bytes that were copied or decrypted.
func (f *File) Wipe() {
	for _, buffer := range f.owned {
		clear(buffer)
	}
}

// Bags decrypts the safes and calls take for each bag in the order of the PFX, until one fails.
func (f *File) Bags(take func(Bag) error) error {
	for _, safe := range f.safes {
		bags, err := f.bagsOf(safe)
		if err != nil {
			return err
		}
		for _, bag := range bags {
			if err := take(bag); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *File) open(der []byte) error {
	var pfx pfxPDU
	if !tlv.Decode(der, &pfx) || pfx.Version != 3 {
		return errNotPFX(der)
	}
	if pfx.AuthSafe.ContentType.Equal(oidSignedData) {
		return failure.Malformed("the PFX is signed with a certificate, which is not supported: export it with a blank password instead")
	}
	var safes []asn1.RawValue
	if !pfx.AuthSafe.ContentType.Equal(oidData) || !tlv.Decode(pfx.AuthSafe.Content.Bytes, &f.content) {
		return errNotPFX(der)
	}
	f.owned = append(f.owned, f.content)
	if !tlv.Decode(f.content, &safes) {
		return errNotPFX(der)
	}
	f.mac, f.iterations = pfx.MACData, iterationsIn(pfx.MACData.FullBytes)
	for _, raw := range safes {
		if err := f.addSafe(raw.FullBytes); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) addSafe(der []byte) error {
	var info contentInfo
	if !tlv.Decode(der, &info) {
		return errDamaged()
	}
	switch {
	case info.ContentType.Equal(oidEncryptedData):
		var sealed sealedInfo
		if !tlv.Decode(info.Content.Bytes, &sealed) {
			return errDamaged()
		}
		f.iterations = addIterations(f.iterations, iterationsIn(info.Content.Bytes))
		f.safes = append(f.safes, safe{sealed: &encrypted{sealed.Info.Algorithm, sealed.Info.Data}})
		return nil
	case info.ContentType.Equal(oidData):
		var content []byte
		if !tlv.Decode(info.Content.Bytes, &content) {
			return errDamaged()
		}
		f.owned = append(f.owned, content)
		bags, ok := bagsIn(content)
		if !ok {
			return errDamaged()
		}
		f.safes = append(f.safes, safe{bags: bags})
		return f.countKeys(bags)
	default:
		return failure.Malformed("the PFX is encrypted for a certificate or a Windows account: export it with a blank password instead")
	}
}

// bagsIn reads SafeContents.
func bagsIn(content []byte) ([]Bag, bool) {
	var raw []asn1.RawValue
	if !tlv.Decode(content, &raw) {
		return nil, false
	}
	bags := make([]Bag, 0, len(raw))
	for _, r := range raw {
		var bag Bag
		if !tlv.Decode(r.FullBytes, &bag) {
			return nil, false
		}
		bags = append(bags, bag)
	}
	return bags, true
}

// countKeys adds the iteration counts of encrypted keys, and fails if the sum is too large.
func (f *File) countKeys(bags []Bag) error {
	for _, bag := range bags {
		if !bag.HasKey() {
			continue
		}
		if len(bag.Value.Bytes) > privatekey.MaxSize {
			return privatekey.TooLarge(len(bag.Value.Bytes))
		}
		f.iterations = addIterations(f.iterations, iterationsIn(bag.Value.Bytes))
	}
	return f.checkIterations()
}

func (f *File) checkIterations() error {
	if f.iterations <= MaxIterations {
		return nil
	}
	return failure.Malformed("the PFX's iteration counts add up to more than %d: export it again with a lower count, which "+
		"loses nothing if the password is blank", MaxIterations)
}

// bagsOf returns the bags of a safe, and decrypts it if necessary.
func (f *File) bagsOf(s safe) ([]Bag, error) {
	if s.sealed == nil {
		return s.bags, nil
	}
	var bags []Bag
	err := s.sealed.open(func(plain []byte) bool {
		var ok bool
		if bags, ok = bagsIn(plain); ok {
			f.owned = append(f.owned, plain)
		}
		return ok
	})
	if err != nil {
		return nil, errSealed("the certificates", err)
	}
	return bags, f.countKeys(bags)
}

// errNotPFX names what the data is instead of a PFX, or which part is missing.
func errNotPFX(der []byte) error {
	const remedy = "import the PFX as a certificate, which encodes it again"
	f, known := form.Of(der)
	size, whole := tlv.Size(der)
	switch {
	case known && f != form.PFX:
		return form.Mismatch(form.ContentTypePFX, "base64 of "+f.What, f.Remedy)
	case len(der) == 0 || der[0] != tlv.Sequence[0]:
		return failure.Malformed("the value is base64, but not of a PFX: import the PFX as a certificate")
	case size == 0:
		return failure.Malformed("the value is base64, but not of a PFX in DER: if it is a PFX in BER, %s", remedy)
	case !whole:
		return failure.Malformed("the value is base64 of a truncated file (%d of %d bytes): store the whole PFX again, or %s", len(der), size, remedy)
	case size < len(der):
		return failure.Malformed("the value is base64 of a PFX with %d extra bytes at its end: %s", len(der)-size, remedy)
	}
	return failure.Malformed("the value is base64, but not of a complete PFX of version 3: %s", remedy)
}

func errDamaged() error {
	return failure.Malformed("the PFX is damaged: import it again")
}
