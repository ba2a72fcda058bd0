package bundle

import (
	"crypto"
	"crypto/rand"
	"testing"
)

func TestAWipedKeyDoesNotSign(t *testing.T) {
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

func TestRefusedKeysAreOverwritten(t *testing.T) {
	small, second := newRSA(1024), newRSA(2048)
	c := contents{key: newEC()}
	if c.addKey(small) == nil || c.addKey(second) == nil {
		t.Fatal("the keys were accepted")
	}
	if small.D.Sign() != 0 || second.D.Sign() != 0 {
		t.Error("a refused key was not overwritten")
	}
}
