package privatekey

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"
)

// Wipe overwrites a private key of any type that crypto/x509 returns, except X25519, which gives no access to its bytes. It does
// nothing for nil.
func Wipe(key any) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		wipeRSA(k)
	case *ecdsa.PrivateKey:
		wipeNumber(k.D) //nolint:staticcheck // the deprecation is about making keys; there is no other access to the number
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
	// Without this the key would still sign with the hidden copy of its numbers, to which this is the last reference.
	k.Precomputed = rsa.PrecomputedValues{}
}

// wipeNumber overwrites all words of a number, also those beyond its present length, and sets it to 0.
func wipeNumber(n *big.Int) {
	if n == nil {
		return
	}
	words := n.Bits()
	clear(words[:cap(words)])
	n.SetInt64(0)
}
