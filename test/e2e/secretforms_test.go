package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"
)

// enough is the length of text that is nothing else by chance.
const enough = 24

// secretForms are the pieces of secrets' values, and of the keys in them, that must not be written, in the forms in which
// programs print them.
func secretForms(t *testing.T, values []string) []string {
	t.Helper()
	forms := []string{"PRIVATE KEY"}
	for _, value := range values {
		if len(value) > 25<<10 {
			continue // one of the others, repeated beyond what a vault would hold
		}
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
				forms = append(forms, piecesOf(line)...)
			}
		}
		der, key := keyOf(t, value)
		if key == nil {
			continue // a value that was damaged on purpose
		}
		forms = append(forms, piecesOf(hex.EncodeToString(der))...)
		forms = append(forms, piecesOf(base64.StdEncoding.EncodeToString(der))...)
		for _, number := range numbersOf(key) {
			forms = append(forms, number.String()[:enough], number.Text(16)[:enough], strings.Trim(fmt.Sprintf("%d", number.Bytes()), "[]")[:2*enough])
		}
	}
	return forms
}

func piecesOf(text string) []string {
	var pieces []string
	for ; len(text) >= enough; text = text[enough:] {
		pieces = append(pieces, text[:enough])
	}
	return pieces
}

// keyOf returns the private key in a secret's value, also as DER; nil for none.
func keyOf(t *testing.T, value string) ([]byte, crypto.PrivateKey) {
	t.Helper()
	for block, rest := pem.Decode([]byte(value)); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			return block.Bytes, key
		}
	}
	pfx, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, nil
	}
	key, _, _, err := pkcs12.DecodeChain(pfx, "")
	if err != nil {
		return nil, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

func numbersOf(key crypto.PrivateKey) []*big.Int {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return append([]*big.Int{k.D, k.Precomputed.Dp, k.Precomputed.Dq, k.Precomputed.Qinv}, k.Primes...)
	case *ecdsa.PrivateKey:
		return []*big.Int{k.D} //nolint:staticcheck // D is what printing the key shows
	}
	return nil
}

// tokenForms are the parts of tokens and passwords that must not be written; of a JWT, its signature too.
func tokenForms(secrets []string) []string {
	var forms []string
	for _, secret := range secrets {
		forms = append(forms, secret)
		if parts := strings.Split(secret, "."); len(parts) == 3 {
			forms = append(forms, parts[2])
		}
	}
	return forms
}
