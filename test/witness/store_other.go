//go:build !windows

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// folder is that of a store of LocalMachine: names of stores have no case.
func folder(store string) string {
	return filepath.Join(os.Getenv("VAULTPANE_STORE_PATH"), "LocalMachine", strings.ToUpper(store))
}

// certificates reads the folder of a store that the environment names.
func certificates(store string) ([]certificate, error) {
	files, err := filepath.Glob(filepath.Join(folder(store), "*.pem"))
	var all []certificate
	for _, file := range files {
		block, err := readBlock(file)
		if err != nil {
			continue // removed since, or damaged: then it is missing
		}
		leaf, err := x509.ParseCertificate(block)
		if err != nil {
			continue // likewise
		}
		key := strings.TrimSuffix(file, ".pem") + ".key"
		all = append(all, certificate{leaf, store, func(message []byte) ([]byte, error) { return signWith(key, message) }})
	}
	return all, err
}

func readBlock(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(file + " is no PEM file")
	}
	return block.Bytes, nil
}

func signWith(file string, message []byte) ([]byte, error) {
	block, err := readBlock(file)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return nil, err
	}
	private, ok := key.(crypto.Signer) // RSA signs as in PKCS #1 v1.5, ECDSA in ASN.1
	if !ok {
		return nil, errors.New(file + " holds no key that signs")
	}
	digest := sha256.Sum256(message)
	return private.Sign(rand.Reader, digest[:], crypto.SHA256)
}

// put writes a certificate and its key as an administrator does: without the agent's lines.
func put(one certificate, private *ecdsa.PrivateKey) error {
	if err := os.MkdirAll(folder(one.store), 0o755); err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	base := filepath.Join(folder(one.store), one.thumbprint())
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Raw})
	return errors.Join(os.WriteFile(base+".key", key, 0o600), os.WriteFile(base+".pem", certificate, 0o644))
}
