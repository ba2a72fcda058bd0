package bundle

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"
)

// Wipe overwrites the numbers of the private key and takes the key out of the bundle, which keeps its certificates. A key
// that was taken out of the bundle before does not work any more. Wipe may be called again, and for a bundle without key.
//
// It shortens the time in which the key can be read from the process's memory, but cannot end it. What Go offers no way
// to: crypto/rsa and crypto/ecdsa keep copies in fields of their own, which Wipe can only leave to the garbage collector;
// encoding/asn1, go-pkcs12 and crypto/x509 leave buffers with the decoded key behind; and the collector may have left
// copies where a stack has grown. Memory that was given back keeps its bytes until it is used again.
func (b *Bundle) Wipe() {
	wipeKey(b.Key)
	b.Key = nil
}

// wipeKey overwrites a private key of any kind that x509 returns; nil is nothing to do. X25519 keys hide their bytes.
func wipeKey(key any) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		wipeRSA(k)
	case *ecdsa.PrivateKey:
		wipeNumber(k.D) //nolint:staticcheck // the deprecation is about making keys; there is no other way to reach the number
	case ed25519.PrivateKey:
		clear(k)
	}
}

func wipeRSA(k *rsa.PrivateKey) {
	wipeNumber(k.D)
	for _, prime := range k.Primes {
		wipeNumber(prime)
	}
	p := k.Precomputed
	wipeNumber(p.Dp)
	wipeNumber(p.Dq)
	wipeNumber(p.Qinv)
	for _, v := range p.CRTValues { //nolint:staticcheck // deprecated, but still filled for keys with more than two primes
		wipeNumber(v.Exp)
		wipeNumber(v.Coeff)
		wipeNumber(v.R)
	}
	// Without this the key would still sign with the hidden copy of its numbers, which only becomes garbage here.
	k.Precomputed = rsa.PrecomputedValues{}
}

// wipeNumber overwrites all words of a number, also those beyond its present length, and makes it 0.
func wipeNumber(n *big.Int) {
	if n == nil {
		return
	}
	words := n.Bits()
	clear(words[:cap(words)])
	n.SetInt64(0)
}
