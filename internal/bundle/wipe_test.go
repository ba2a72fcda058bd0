package bundle

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"
)

func TestWipeOverwritesTheNumbersOfTheKey(t *testing.T) {
	rsaKey, ecKey := newRSA(2048), newEC().(*ecdsa.PrivateKey)
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
			wipeKey(test.key)
			for i, number := range words {
				if n := new(big.Int).SetBits(number); n.Sign() != 0 || test.numbers[i].Sign() != 0 {
					t.Errorf("number %d is still there", i)
				}
			}
		})
	}
	wipeKey(ed)
	if !bytes.Equal(ed, make([]byte, ed25519.PrivateKeySize)) {
		t.Error("the Ed25519 key is still there")
	}
}

func TestWipedKeyDoesNotSign(t *testing.T) {
	f := newFamily(t, newEC())
	rsaLeaf := issue(t, "leaf", newRSA(2048), f.root, nil)
	for name, leaf := range map[string]*pair{"EC": f.leaf, "RSA": rsaLeaf} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePEM, join(keyPEM(leaf.key), certPEM(leaf)), moment)
			if err != nil {
				t.Fatal(err)
			}
			key, digest := b.Key, make([]byte, 32)
			if _, err := key.Sign(rand.Reader, digest, crypto.SHA256); err != nil {
				t.Fatal(err)
			}
			b.Wipe()
			b.Wipe()
			if b.HasKey() || b.Leaf == nil {
				t.Error("the bundle has its key, or lost its leaf")
			}
			if signature, err := key.Sign(rand.Reader, digest, crypto.SHA256); err == nil {
				t.Errorf("it still signs: %x", signature)
			}
		})
	}
}

func TestBuffersOfAPlainKeyAreOverwritten(t *testing.T) {
	f := newFamily(t, newEC())
	var e envelope
	if err := e.open(pfxOf(plainSafe(keyBag(f.leaf.key), certBag(f.leaf)))); err != nil {
		t.Fatal(err)
	}
	e.wipe()
	for _, bag := range e.safes[0].bags {
		if len(bytes.Trim(bag.Value.Bytes, "\x00")) != 0 {
			t.Error("a bag was not overwritten")
		}
	}
}

func TestRefusedKeysAreOverwritten(t *testing.T) {
	small, second := newRSA(1024), newRSA(2048)
	c := contents{key: newEC()}
	if c.addKey(small) == nil || c.addKey(second) == nil {
		t.Fatal("the keys were taken")
	}
	if small.D.Sign() != 0 || second.D.Sign() != 0 {
		t.Error("a refused key is still there")
	}
}
