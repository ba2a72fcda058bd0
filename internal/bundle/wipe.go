package bundle

import "github.com/vaultpane/vaultpane/internal/bundle/privatekey"

// Wipe overwrites the numbers of the private key and removes the key from the bundle, which keeps its certificates. A reference to
// the key that was taken before no longer works. Wipe may be called repeatedly, and for a bundle without key.
//
// It shortens the time in which the key can be read from the process's memory, but cannot end it. Parse overwrites every buffer of
// this package that held the key, and the stack. Go offers no way to overwrite the copies of the numbers that crypto/rsa and
// crypto/ecdsa keep in fields of their own and in temporary ones. After Wipe nothing refers to these copies, but they keep their
// bytes until the garbage collector has run and the memory is used again (docs/security.md has measurements).
func (b *Bundle) Wipe() {
	privatekey.Wipe(b.Key)
	b.Key = nil
}

// stackSize is more than the functions that Parse calls use: a number of 4096 bits has 512 bytes, and the functions of
// crypto/internal/fips140/bigmod keep some dozens of them.
const stackSize = 64 << 10

// clearStack overwrites what functions that have returned left on the stack below the caller's frame.
//
//go:noinline
func clearStack() {
	var frame [stackSize]byte
	clearFrame(&frame)
}

//go:noinline
func clearFrame(frame *[stackSize]byte) { clear(frame[:]) }
