package pkcs12

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"  //nolint:gosec // PFX files use it
	"crypto/sha1" //nolint:gosec // as above
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// errDecryption is damage, or a password that is not blank: without a MAC the two cannot be distinguished.
var errDecryption = errors.New("cannot be decrypted with a blank password")

// encrypted is an EncryptedPrivateKeyInfo (RFC 5958, section 3), or the part of EncryptedContentInfo that has the same form.
type encrypted struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// open decrypts with a blank password and passes the result to take, which reports whether it is valid: the padding alone is
// correct by chance once in 256 times. The plain bytes are overwritten unless take accepts them. Which of the two blank
// passwords was used cannot be seen before, so both are tried.
func (e encrypted) open(take func(plain []byte) bool) error {
	for _, p := range passwords {
		plain, err := e.decrypt(p)
		var missing notSupported
		switch {
		case errors.As(err, &missing):
			return err
		case err == nil && take(plain):
			return nil
		}
		clear(plain)
		if e.Algorithm.Algorithm.Equal(oidPBES2) {
			break // PBES2 has one blank password
		}
	}
	return errDecryption
}

func (e encrypted) decrypt(p password) ([]byte, error) {
	mode, err := decrypterFor(e.Algorithm, p)
	if err != nil {
		return nil, err
	}
	size := mode.BlockSize()
	if len(e.Data) == 0 || len(e.Data)%size != 0 {
		return nil, errDecryption
	}
	plain := make([]byte, len(e.Data))
	mode.CryptBlocks(plain, e.Data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > size {
		clear(plain)
		return nil, errDecryption
	}
	for _, octet := range plain[len(plain)-padding:] {
		if int(octet) != padding {
			clear(plain)
			return nil, errDecryption
		}
	}
	return plain[:len(plain)-padding], nil
}

// scheme is a cipher in CBC mode and the size of its key in bytes.
type scheme struct {
	size  int
	block func(key []byte) (cipher.Block, error)
}

var (
	oidPBES2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	// pbeSchemes are those of RFC 7292, appendix C, except RC4, which no program uses by default.
	pbeSchemes = map[string]scheme{
		"1.2.840.113549.1.12.1.3": {24, des.NewTripleDESCipher},
		"1.2.840.113549.1.12.1.4": {16, twoKeyDES},
		"1.2.840.113549.1.12.1.5": {16, newRC2},
		"1.2.840.113549.1.12.1.6": {5, newRC2},
	}
	// pbes2Schemes are of RFC 8018, appendix B.2.
	pbes2Schemes = map[string]scheme{
		"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
		"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
		"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	}
)

func twoKeyDES(key []byte) (cipher.Block, error) {
	return des.NewTripleDESCipher(append(key[:16:16], key[:8]...)) //nolint:gosec // as above
}

func decrypterFor(algorithm pkix.AlgorithmIdentifier, p password) (cipher.BlockMode, error) {
	if algorithm.Algorithm.Equal(oidPBES2) {
		return pbes2Decrypter(algorithm.Parameters.FullBytes)
	}
	scheme, known := pbeSchemes[algorithm.Algorithm.String()]
	if !known {
		return nil, notSupported("encryption " + algorithm.Algorithm.String())
	}
	var params struct {
		Salt       []byte
		Iterations int
	}
	if !tlv.Decode(algorithm.Parameters.FullBytes, &params) {
		return nil, errDecryption
	}
	block, err := scheme.block(derive(sha1.New, forKey, p, params.Salt, params.Iterations, scheme.size))
	if err != nil {
		return nil, err
	}
	return cipher.NewCBCDecrypter(block, derive(sha1.New, forIV, p, params.Salt, params.Iterations, block.BlockSize())), nil
}

func pbes2Decrypter(parameters []byte) (cipher.BlockMode, error) {
	var params struct{ KDF, Encryption pkix.AlgorithmIdentifier }
	if !tlv.Decode(parameters, &params) {
		return nil, errDecryption
	}
	scheme, known := pbes2Schemes[params.Encryption.Algorithm.String()]
	if !known {
		return nil, notSupported("encryption " + params.Encryption.Algorithm.String())
	}
	key, err := derivePBKDF2(params.KDF, scheme.size)
	if err != nil {
		return nil, err
	}
	block, err := scheme.block(key)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if !tlv.Decode(params.Encryption.Parameters.FullBytes, &iv) || len(iv) != block.BlockSize() {
		return nil, errDecryption
	}
	return cipher.NewCBCDecrypter(block, iv), nil
}
