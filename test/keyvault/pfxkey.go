package keyvault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"
)

// blankCipher returns the cipher of a safe whose password is blank: AES-256 by PBES2 (RFC 8018), else 3DES (RFC 7292,
// appendix C), the two that encodePFX chooses from.
func blankCipher(algorithm pkix.AlgorithmIdentifier) (cipher.Block, []byte, error) {
	var modern struct {
		KDF struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters struct {
				Salt       []byte
				Iterations int
				PRF        pkix.AlgorithmIdentifier
			}
		}
		Encryption struct {
			Algorithm asn1.ObjectIdentifier
			IV        []byte
		}
	}
	if _, err := asn1.Unmarshal(algorithm.Parameters.FullBytes, &modern); err == nil {
		key, err := pbkdf2.Key(sha256.New, "", modern.KDF.Parameters.Salt, modern.KDF.Parameters.Iterations, 32)
		if err != nil {
			return nil, nil, fmt.Errorf("deriving the safe's key: %w", err)
		}
		block, err := aes.NewCipher(key)
		return block, modern.Encryption.IV, err
	}
	var legacy struct {
		Salt       []byte
		Iterations int
	}
	if _, err := asn1.Unmarshal(algorithm.Parameters.FullBytes, &legacy); err != nil {
		return nil, nil, fmt.Errorf("reading the safe's encryption: %w", err)
	}
	block, err := des.NewTripleDESCipher(deriveBlank(sha1.New, 1, legacy.Salt, legacy.Iterations, 24))
	return block, deriveBlank(sha1.New, 2, legacy.Salt, legacy.Iterations, des.BlockSize), err
}

// deriveBlank derives a key from the blank password (RFC 7292, appendix B.2; the names of its steps). purpose is 1 for a
// key, 2 for an IV, 3 for a MAC.
func deriveBlank(newHash func() hash.Hash, purpose byte, salt []byte, iterations, size int) []byte {
	const v = 64 // bytes: the block of SHA-1 and SHA-256
	diversifier := bytes.Repeat([]byte{purpose}, v)
	input := append(fill(salt, v), fill([]byte{0, 0}, v)...) // an empty BMPString, with its end
	var derived []byte
	for len(derived) < size {
		sum := append(append([]byte(nil), diversifier...), input...)
		for range iterations {
			h := newHash()
			h.Write(sum)
			sum = h.Sum(nil)
		}
		derived = append(derived, sum...)
		addend := fill(sum, v)[:v]
		for start := 0; start < len(input); start += v { // step 6C: each block plus the addend plus 1
			carry := 1
			for i := v - 1; i >= 0; i-- {
				carry += int(input[start+i]) + int(addend[i])
				input[start+i] = byte(carry)
				carry >>= 8
			}
		}
	}
	return derived[:size]
}

// fill repeats a pattern to a multiple of a length.
func fill(pattern []byte, length int) []byte {
	size := (len(pattern) + length - 1) / length * length
	return bytes.Repeat(pattern, size/len(pattern)+1)[:size]
}
