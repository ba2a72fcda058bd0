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
// It shortens the time in which the key can be read from the process's memory, but cannot end it. Parse overwrites every
// buffer of this package that held the key, and the stack. What Go offers no way to: crypto/rsa and crypto/ecdsa copy the
// numbers into fields of their own and into temporary ones. After Wipe nothing refers to these any more, but they keep
// their bytes until the garbage collector has run and the memory is used again (docs/security.md has what was measured).
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

// stackSize is more than any function below Parse has in use: a number of 4096 bits has 512 bytes, and the functions of
// crypto/internal/fips140/bigmod keep some dozens of them.
const stackSize = 64 << 10

// clearStack overwrites what functions that have returned left below the caller's part of the stack.
//
//go:noinline
func clearStack() {
	var frame [stackSize]byte
	clearFrame(&frame)
}

//go:noinline
func clearFrame(frame *[stackSize]byte) { clear(frame[:]) }
