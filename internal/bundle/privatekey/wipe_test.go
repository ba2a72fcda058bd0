package privatekey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"
)

func TestWipeOverwritesTheNumbersOfTheKey(t *testing.T) {
	rsaKey, ecKey := newRSA(2048), newEC(elliptic.P256()).(*ecdsa.PrivateKey)
	_, ed := must2(ed25519.GenerateKey(rand.Reader))
	multi := newRSA(2048)
	multi.Precomputed.CRTValues = []rsa.CRTValue{{Exp: big.NewInt(5), Coeff: big.NewInt(6), R: big.NewInt(7)}} //nolint:staticcheck // filled by x509
	bare := &rsa.PrivateKey{D: big.NewInt(3)}
	for name, test := range map[string]struct {
		key     any
		numbers []*big.Int
	}{
		"RSA": {rsaKey, []*big.Int{rsaKey.D, rsaKey.Primes[0], rsaKey.Primes[1], rsaKey.Precomputed.Dp, rsaKey.Precomputed.Dq,
			rsaKey.Precomputed.Qinv}},
		"RSA without precomputed numbers": {bare, []*big.Int{bare.D}},
		"RSA with more primes":            {multi, []*big.Int{multi.D, multi.Precomputed.CRTValues[0].Exp, multi.Precomputed.CRTValues[0].R}}, //nolint:staticcheck // as above
		"EC":                              {ecKey, []*big.Int{ecKey.D}},                                                                       //nolint:staticcheck // as in wipe.go
	} {
		t.Run(name, func(t *testing.T) {
			var words [][]big.Word
			for _, n := range test.numbers {
				words = append(words, n.Bits())
			}
			Wipe(test.key)
			for i, number := range words {
				if n := new(big.Int).SetBits(number); n.Sign() != 0 || test.numbers[i].Sign() != 0 {
					t.Errorf("number %d was not overwritten", i)
				}
			}
		})
	}
	Wipe(ed)
	if !bytes.Equal(ed, make([]byte, ed25519.PrivateKeySize)) {
		t.Error("the Ed25519 key was not overwritten")
	}
}
