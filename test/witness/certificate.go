package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

var errMissing = errors.New("there is no such certificate")

// my is the store that programs look into.
const my = "MY"

// certificate is one of a store of LocalMachine.
type certificate struct {
	*x509.Certificate
	store string
	// sign signs a message with the certificate's key, by RSA or ECDSA, with SHA-256.
	sign func(message []byte) ([]byte, error)
}

func (c certificate) thumbprint() string { return fmt.Sprintf("%X", sha1.Sum(c.Raw)) }

func (c certificate) valid(now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// works signs with the key, and verifies with the certificate.
func (c certificate) works() error {
	message := []byte("signed by the witness")
	signature, err := c.sign(message)
	if err != nil {
		return fmt.Errorf("signing as %s: %w", c.thumbprint(), err)
	}
	digest := sha256.Sum256(message)
	signed := false
	switch public := c.PublicKey.(type) {
	case *rsa.PublicKey:
		signed = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		signed = ecdsa.VerifyASN1(public, digest[:], signature)
	}
	if !signed {
		return fmt.Errorf("the key is not that of %s", c.thumbprint())
	}
	return nil
}

// use signs with the certificate of a name that is not the one before, and returns its thumbprint.
func use(name, before string) (string, error) {
	all, err := certificates(my)
	if err != nil {
		return "", err
	}
	for _, one := range all {
		if one.Subject.CommonName == name && one.thumbprint() != before {
			return one.thumbprint(), one.works()
		}
	}
	return "", errMissing
}
