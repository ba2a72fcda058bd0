package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/test/winetest"
)

// Functions that only this test needs (https://learn.microsoft.com/windows/win32/api/bcrypt/).
var (
	bcrypt          = windows.NewLazySystemDLL("bcrypt.dll")
	openAlgorithm   = bcrypt.NewProc("BCryptOpenAlgorithmProvider")
	closeAlgorithm  = bcrypt.NewProc("BCryptCloseAlgorithmProvider")
	importKeyPair   = bcrypt.NewProc("BCryptImportKeyPair")
	signHash        = bcrypt.NewProc("BCryptSignHash")
	destroyKey      = bcrypt.NewProc("BCryptDestroyKey")
	errNoSuchKind   = errors.New("the system does not have the algorithm")
	bcryptPadPKCS1  = uintptr(2)
	paddingOfSHA256 = struct{ algorithm *uint16 }{windows.StringToUTF16Ptr("SHA256")} // BCRYPT_PKCS1_PADDING_INFO
)

// The blobs are keys for bcrypt, which CNG's provider uses too: it signs with them, and the public key verifies that.
func TestBcryptSignsWithTheBlobs(t *testing.T) {
	digest := sha256.Sum256([]byte("vaultpane"))
	for _, bits := range []int{2048, 3072, 4096} {
		t.Run(fmt.Sprintf("RSA %d", bits), func(t *testing.T) {
			key := rsaKey(t, bits)
			signature, err := signWith(key, "RSA", digest[:], uintptr(unsafe.Pointer(&paddingOfSHA256)), bcryptPadPKCS1)
			if err == nil {
				err = rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		t.Run(curve.Params().Name, func(t *testing.T) {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			signature, err := signWith(key, fmt.Sprintf("ECDSA_P%d", curve.Params().BitSize), digest[:], 0, 0)
			if winetest.OnWine() && curve != elliptic.P256() && err != nil {
				t.Skipf("Wine's bcrypt does not have %s: %v", curve.Params().Name, err)
			}
			if err != nil {
				t.Fatal(err)
			}
			half := len(signature) / 2 // r and s, each as long as the curve
			if !ecdsa.Verify(&key.PublicKey, digest[:], new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])) {
				t.Error("the signature is not the key's")
			}
		})
	}
}

func signWith(key crypto.Signer, algorithm string, digest []byte, padding, flags uintptr) ([]byte, error) {
	blob, kind, err := cngBlob(key)
	if err != nil {
		return nil, err
	}
	var provider, pair uintptr
	if status, _, _ := openAlgorithm.Call(uintptr(unsafe.Pointer(&provider)), uintptr(unsafe.Pointer(windows.StringToUTF16Ptr(algorithm))), 0, 0); status != 0 {
		return nil, fmt.Errorf("%w (%#x)", errNoSuchKind, status)
	}
	defer closeAlgorithm.Call(provider, 0) //nolint:errcheck // memory of a test
	if status, _, _ := importKeyPair.Call(provider, 0, uintptr(unsafe.Pointer(windows.StringToUTF16Ptr(kind))), uintptr(unsafe.Pointer(&pair)),
		uintptr(unsafe.Pointer(&blob[0])), uintptr(len(blob)), 0); status != 0 {
		return nil, fmt.Errorf("importing the key: %#x", status)
	}
	defer destroyKey.Call(pair) //nolint:errcheck // as above
	signature := make([]byte, 1024)
	var size uint32
	if status, _, _ := signHash.Call(pair, padding, uintptr(unsafe.Pointer(&digest[0])), uintptr(len(digest)), uintptr(unsafe.Pointer(&signature[0])),
		uintptr(len(signature)), uintptr(unsafe.Pointer(&size)), flags); status != 0 {
		return nil, fmt.Errorf("signing: %#x", status)
	}
	return signature[:size], nil
}
