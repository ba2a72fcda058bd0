package keyvault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"sync"
)

// KeyType is the type of a certificate's private key.
type KeyType int

// The key types of Key Vault's certificates.
const (
	RSA2048 KeyType = iota
	RSA3072
	RSA4096
	P256
	P384
	P521
)

var keyTypeNames = []string{"RSA2048", "RSA3072", "RSA4096", "P256", "P384", "P521"}

// String returns the constant's name.
func (t KeyType) String() string {
	if t < 0 || int(t) >= len(keyTypeNames) {
		return fmt.Sprintf("KeyType(%d)", int(t))
	}
	return keyTypeNames[t]
}

// ParseKeyType reads a constant's name, in any case. Empty is RSA2048.
func ParseKeyType(name string) (KeyType, error) {
	if name == "" {
		return RSA2048, nil
	}
	for i, known := range keyTypeNames {
		if strings.EqualFold(name, known) {
			return KeyType(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not a key type; the key types are %s", name, strings.Join(keyTypeNames, ", "))
}

func (t KeyType) generate() (crypto.Signer, error) {
	switch t {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case P521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	}
	return nil, fmt.Errorf("making a key: %s is not a key type", t)
}

// keyPool keeps the keys that may be reused in the process: those of PutMany and of the issuers.
type keyPool struct {
	mu   sync.Mutex
	keys map[KeyType][]crypto.Signer
}

var pool = &keyPool{keys: map[KeyType][]crypto.Signer{}}

// take returns the first keys of the pool, and makes missing keys in parallel.
func (p *keyPool) take(kind KeyType, count int) ([]crypto.Signer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	missing := max(0, count-len(p.keys[kind]))
	made := make([]crypto.Signer, missing)
	err := inParallel(missing, func(i int) (err error) {
		made[i], err = kind.generate()
		return err
	})
	if err != nil {
		return nil, err
	}
	p.keys[kind] = append(p.keys[kind], made...)
	return p.keys[kind][:count:count], nil
}
