package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
)

// Types of key blobs (bcrypt.h).
const (
	rsaFullPrivateBlob = "RSAFULLPRIVATEBLOB" // BCRYPT_RSAFULLPRIVATE_BLOB
	eccPrivateBlob     = "ECCPRIVATEBLOB"     // BCRYPT_ECCPRIVATE_BLOB
)

// cngBlob encodes a private key for CNG, and returns the type of the blob. The caller overwrites it after use.
func cngBlob(key crypto.Signer) (blob []byte, blobType string, err error) {
	switch private := key.(type) {
	case *rsa.PrivateKey:
		blob, err = cngRSABlob(private)
		return blob, rsaFullPrivateBlob, err
	case *ecdsa.PrivateKey:
		blob, err = cngECBlob(private)
		return blob, eccPrivateBlob, err
	}
	return nil, "", fmt.Errorf("CNG supports RSA and EC keys, and this key is %T", key)
}

// cngRSABlob follows https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_rsakey_blob: numbers are big
// endian, the header is little endian.
func cngRSABlob(private *rsa.PrivateKey) ([]byte, error) {
	if len(private.Primes) != 2 {
		return nil, errors.New("CNG supports only RSA keys with two primes")
	}
	private.Precompute()
	const magic = 0x33415352 // BCRYPT_RSAFULLPRIVATE_MAGIC, "RSA3"
	exponent := big.NewInt(int64(private.E))
	first, second := private.Primes[0], private.Primes[1]
	parts := []struct {
		number *big.Int
		size   int
	}{
		{exponent, byteLength(exponent)}, {private.N, byteLength(private.N)}, {first, byteLength(first)}, {second, byteLength(second)},
		{private.Precomputed.Dp, byteLength(first)}, {private.Precomputed.Dq, byteLength(second)},
		{private.Precomputed.Qinv, byteLength(first)}, {private.D, byteLength(private.N)},
	}
	size := 24
	for _, part := range parts {
		size += part.size
	}
	blob := make([]byte, 0, size) // its final capacity: growing would leave a copy behind
	header := []int{magic, private.N.BitLen(), parts[0].size, parts[1].size, parts[2].size, parts[3].size}
	for _, number := range header {
		blob = binary.LittleEndian.AppendUint32(blob, uint32(number))
	}
	for _, part := range parts {
		blob = blob[:len(blob)+part.size]
		part.number.FillBytes(blob[len(blob)-part.size:])
	}
	return blob, nil
}

// eccMagic are BCRYPT_ECDSA_PRIVATE_P256_MAGIC and its counterparts, by the curve's size in bits.
var eccMagic = map[int]uint32{256: 0x32534345, 384: 0x34534345, 521: 0x36534345}

// cngECBlob follows https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_ecckey_blob: X, Y, d, each as
// long as the curve.
func cngECBlob(private *ecdsa.PrivateKey) ([]byte, error) {
	bits := private.Curve.Params().BitSize
	magic, known := eccMagic[bits]
	if !known {
		return nil, fmt.Errorf("CNG supports EC keys on P-256, P-384 and P-521, and this key is on %s", private.Curve.Params().Name)
	}
	point, err := private.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	secret, err := private.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding the private key: %w", err)
	}
	defer clear(secret)
	size := (bits + 7) / 8
	blob := make([]byte, 0, 8+3*size)
	blob = binary.LittleEndian.AppendUint32(blob, magic)
	blob = binary.LittleEndian.AppendUint32(blob, uint32(size))
	blob = append(blob, point[1:]...)
	return append(blob, secret...), nil
}

func byteLength(number *big.Int) int { return (number.BitLen() + 7) / 8 }
