//go:build !windows

package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// certificates reads the folder of the store that the environment names.
func certificates() ([]certificate, error) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("VAULTPANE_STORE_PATH"), "LocalMachine", "MY", "*.pem"))
	var all []certificate
	for _, file := range files {
		block, err := readBlock(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		leaf, err := x509.ParseCertificate(block)
		if err != nil {
			return nil, err
		}
		key := strings.TrimSuffix(file, ".pem") + ".key"
		all = append(all, certificate{leaf, func(message []byte) ([]byte, error) { return signWith(key, message) }})
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
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New(file + " holds no RSA key")
	}
	digest := sha256.Sum256(message)
	return rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, digest[:])
}
