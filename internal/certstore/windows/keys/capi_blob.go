package keys

import (
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// CAPIBlob encodes an RSA private key as PRIVATEKEYBLOB
// (https://learn.microsoft.com/windows/win32/seccrypto/rsa-schannel-key-blobs). The caller overwrites it after use. CAPI
// supports no other keys, and no RSA keys whose primes are not half as long as the modulus.
func CAPIBlob(key crypto.Signer) ([]byte, error) {
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("CAPI supports RSA keys only, and this key is %T; use keyStorageProvider CNG", key)
	}
	if len(private.Primes) != 2 || private.N.BitLen()%16 != 0 {
		return nil, errors.New("CAPI supports only RSA keys with two primes and a length that is a multiple of 16 bits; use keyStorageProvider CNG")
	}
	private.Precompute()
	const (
		privateKeyBlob = 7          // PRIVATEKEYBLOB
		blobVersion    = 2          // CUR_BLOB_VERSION
		keyExchange    = 0x0000a400 // CALG_RSA_KEYX
		magic          = 0x32415352 // "RSA2"
	)
	bits := private.N.BitLen()
	whole, half := bits/8, bits/16
	blob := make([]byte, 0, 20+2*whole+5*half) // its final capacity: growing would leave a copy behind
	blob = append(blob, privateKeyBlob, blobVersion, 0, 0)
	for _, number := range []uint32{keyExchange, magic, uint32(bits), uint32(private.E)} {
		blob = binary.LittleEndian.AppendUint32(blob, number)
	}
	for _, part := range []struct {
		number *big.Int
		size   int
	}{
		{private.N, whole}, {private.Primes[0], half}, {private.Primes[1], half},
		{private.Precomputed.Dp, half}, {private.Precomputed.Dq, half}, {private.Precomputed.Qinv, half}, {private.D, whole},
	} {
		if part.number.BitLen() > 8*part.size {
			clear(blob)
			return nil, errors.New("CAPI supports only RSA keys whose primes are half as long as the modulus; use keyStorageProvider CNG")
		}
		blob = blob[:len(blob)+part.size]
		number := blob[len(blob)-part.size:]
		part.number.FillBytes(number)
		slices.Reverse(number) // little endian
	}
	return blob, nil
}
