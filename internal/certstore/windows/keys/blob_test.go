package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// reader reads a blob field by field.
type reader struct {
	t    *testing.T
	rest []byte
}

func (r *reader) number() int {
	return int(binary.LittleEndian.Uint32(r.bytes(4)))
}

func (r *reader) bytes(size int) []byte {
	r.t.Helper()
	if len(r.rest) < size {
		r.t.Fatalf("the blob ends %d bytes early", size-len(r.rest))
	}
	part := r.rest[:size]
	r.rest = r.rest[size:]
	return part
}

func (r *reader) bigEndian(size int) *big.Int { return new(big.Int).SetBytes(r.bytes(size)) }

func (r *reader) littleEndian(size int) *big.Int {
	reversed := slices.Clone(r.bytes(size))
	slices.Reverse(reversed)
	return new(big.Int).SetBytes(reversed)
}

func (r *reader) want(what string, got, want *big.Int) {
	r.t.Helper()
	if got.Cmp(want) != 0 {
		r.t.Errorf("%s is %d, want %d", what, got, want)
	}
}

func TestCAPIBlobHoldsTheWholeKey(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		key := rsaKey(t, bits)
		blob, err := CAPIBlob(key)
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{t, blob}
		if header := r.bytes(8); !bytes.Equal(header, []byte{7, 2, 0, 0, 0, 0xa4, 0, 0}) {
			t.Errorf("header is %x", header)
		}
		if magic := string(r.bytes(4)); magic != "RSA2" || r.number() != bits || r.number() != key.E {
			t.Errorf("the key's header with magic %s is wrong", magic)
		}
		r.want("modulus", r.littleEndian(bits/8), key.N)
		r.want("first prime", r.littleEndian(bits/16), key.Primes[0])
		r.want("second prime", r.littleEndian(bits/16), key.Primes[1])
		r.want("first exponent", r.littleEndian(bits/16), key.Precomputed.Dp)
		r.want("second exponent", r.littleEndian(bits/16), key.Precomputed.Dq)
		r.want("coefficient", r.littleEndian(bits/16), key.Precomputed.Qinv)
		r.want("private exponent", r.littleEndian(bits/8), key.D)
		if len(r.rest) != 0 {
			t.Errorf("%d bytes follow", len(r.rest))
		}
	}
}

func TestCNGBlobHoldsTheWholeRSAKey(t *testing.T) {
	key := rsaKey(t, 2048)
	blob, kind, err := cngBlob(key)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t, blob}
	if magic := string(r.bytes(4)); kind != "RSAFULLPRIVATEBLOB" || magic != "RSA3" {
		t.Errorf("%s has magic %s", kind, magic)
	}
	if bits, exponent, modulus, first, second := r.number(), r.number(), r.number(), r.number(), r.number(); bits != 2048 || exponent != 3 || modulus != 256 || first != 128 || second != 128 {
		t.Errorf("lengths are %d, %d, %d, %d, %d", bits, exponent, modulus, first, second)
	}
	r.want("exponent", r.bigEndian(3), big.NewInt(int64(key.E)))
	r.want("modulus", r.bigEndian(256), key.N)
	r.want("first prime", r.bigEndian(128), key.Primes[0])
	r.want("second prime", r.bigEndian(128), key.Primes[1])
	r.want("first exponent", r.bigEndian(128), key.Precomputed.Dp)
	r.want("second exponent", r.bigEndian(128), key.Precomputed.Dq)
	r.want("coefficient", r.bigEndian(128), key.Precomputed.Qinv)
	r.want("private exponent", r.bigEndian(256), key.D)
	if len(r.rest) != 0 {
		t.Errorf("%d bytes follow", len(r.rest))
	}
}

func TestCNGBlobHoldsTheWholeECKey(t *testing.T) {
	for magic, curve := range map[string]elliptic.Curve{"ECS2": elliptic.P256(), "ECS4": elliptic.P384(), "ECS6": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		blob, kind, err := cngBlob(key)
		if err != nil {
			t.Fatal(err)
		}
		size := (curve.Params().BitSize + 7) / 8
		r := &reader{t, blob}
		if got := string(r.bytes(4)); kind != "ECCPRIVATEBLOB" || got != magic || r.number() != size {
			t.Errorf("%s has magic %s, want %s", kind, got, magic)
		}
		point := append([]byte{4}, r.bytes(2*size)...)
		public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
		if err != nil || !public.Equal(&key.PublicKey) {
			t.Errorf("another public key (%v)", err)
		}
		private, err := ecdsa.ParseRawPrivateKey(curve, r.bytes(size))
		if err != nil || !private.Equal(key) || len(r.rest) != 0 {
			t.Errorf("another private key (%v), %d bytes follow", err, len(r.rest))
		}
	}
}

func TestKeysThatAProviderRejects(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	uneven := rsaKey(t, 2048)
	uneven.Primes = append(slices.Clone(uneven.Primes), big.NewInt(3))
	for want, try := range map[string]func() error{
		"this key is *ecdsa.PrivateKey":               func() error { _, err := CAPIBlob(p224); return err },
		"this key is ed25519.PrivateKey":              func() error { _, _, err := cngBlob(edwards); return err },
		"this key is on P-224":                        func() error { _, _, err := cngBlob(p224); return err },
		"CNG supports only RSA keys with two primes":  func() error { _, _, err := cngBlob(uneven); return err },
		"CAPI supports only RSA keys with two primes": func() error { _, err := CAPIBlob(uneven); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
