package pkcs12

import (
	"crypto/hmac"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// macData is MacData of RFC 7292, section 4.
type macData struct {
	MAC struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

// blankPassword reports whether a PFX's MAC was made with a blank password. Only the MAC can distinguish a password from
// damage. It reports true if the MAC is missing or its algorithm is not supported.
func blankPassword(mac asn1.RawValue, content []byte) bool {
	var data macData
	if len(mac.FullBytes) == 0 || !tlv.Decode(mac.FullBytes, &data) {
		return true
	}
	if data.MAC.Algorithm.Algorithm.Equal(oidPBMAC1) {
		sum, err := pbmac1(data.MAC.Algorithm.Parameters.FullBytes, content)
		return err != nil || hmac.Equal(sum, data.MAC.Digest)
	}
	h := digestHashes[data.MAC.Algorithm.Algorithm.String()]
	if h == nil {
		return true
	}
	for _, p := range passwords {
		key := derive(h, forMAC, p, data.Salt, data.Iterations, h().Size())
		if hmac.Equal(hmacOf(h, key, content), data.MAC.Digest) {
			return true
		}
	}
	return false
}

// pbmac1 computes the MAC of RFC 9579, whose parameters are in the algorithm.
func pbmac1(parameters, content []byte) ([]byte, error) {
	var params struct{ KDF, MAC pkix.AlgorithmIdentifier }
	if !tlv.Decode(parameters, &params) {
		return nil, errDecryption
	}
	h := hmacHashes[params.MAC.Algorithm.String()]
	if h == nil {
		return nil, notSupported("MAC " + params.MAC.Algorithm.String())
	}
	key, err := derivePBKDF2(params.KDF, 0)
	if err != nil {
		return nil, err
	}
	return hmacOf(h, key, content), nil
}

func hmacOf(h func() hash.Hash, key, content []byte) []byte {
	mac := hmac.New(h, key)
	mac.Write(content)
	return mac.Sum(nil)
}
