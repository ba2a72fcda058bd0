package keyvault

import (
	"bytes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/asn1"
	"encoding/base64"
	"testing"
)

func TestTheLeafIsMarkedAsTheKeysInAnyPosition(t *testing.T) {
	s := ForTest(t, "shop")
	client := newClient(t, s, "shop")
	for name, legacy := range map[string]bool{"modern": false, "legacy": true} {
		t.Run(name, func(t *testing.T) {
			options := CertificateOptions{KeyType: P256, WithChain: true, RootFirst: true, LegacyPFX: legacy}
			if _, err := s.Vault("shop").Put("web", options); err != nil {
				t.Fatal(err)
			}
			secret := get(t, client, "web", "").Secret
			certificates, _ := certificatesOf(t, secret)
			der, err := base64.StdEncoding.DecodeString(*secret.Value)
			if err != nil {
				t.Fatal(err)
			}
			mark := sha1.Sum(certificates[2].Raw)
			for i, bag := range bagsOf(t, der) {
				if marked := bytes.Contains(bag.FullBytes, mark[:]); marked != (i == 2) {
					t.Errorf("certificate %d is marked with the leaf's key: %t", i, marked)
				}
			}
		})
	}
}

func bagsOf(t *testing.T, der []byte) (bags []asn1.RawValue) {
	t.Helper()
	safe, err := certificateSafe(der)
	if err != nil {
		t.Fatal(err)
	}
	block, iv, err := blankCipher(safe.Content.Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	plain := make([]byte, len(safe.Content.Encrypted))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, safe.Content.Encrypted)
	if _, err := asn1.Unmarshal(plain, &bags); err != nil {
		t.Fatal(err)
	}
	return bags
}
