package main

import (
	"context"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// spoils is a fault in what the vault has under one name. Nothing else changes it meanwhile. In the end there is a good version.
func spoils(name string, spoil func(s *site, secret string) error) fault {
	return fault{
		name: name,
		begin: func(_ context.Context, s *site) error {
			secret := s.kept(s.random.IntN(keptCertificates))
			if s.wishes.reserved[secret] {
				return nil // another fault has it
			}
			s.wishes.reserved[secret] = true
			return spoil(s, secret)
		},
		end: func(_ context.Context, s *site) error {
			for secret := range s.wishes.reserved {
				if err := s.put(secret); err != nil {
					return err
				}
			}
			clear(s.wishes.reserved)
			return nil
		},
	}
}

func contentFaults() []fault {
	return []fault{
		spoils("newest version is no certificate", func(s *site, secret string) error {
			_, err := s.vault.SetSecret(secret, "application/x-pkcs12", "bm8gY2VydGlmaWNhdGU=")
			return err
		}),
		spoils("newest version is disabled", func(s *site, secret string) error {
			if err := s.put(secret); err != nil {
				return err
			}
			return s.vault.Disable(secret, "")
		}),
		spoils("newest version expires while it is installed", func(s *site, secret string) error {
			return s.putWithin(secret, time.Now().Add(-time.Hour), time.Now().Add(3*time.Second))
		}),
		spoils("newest version has expired", func(s *site, secret string) error {
			return s.putWithin(secret, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
		}),
		spoils("newest version is not valid yet", func(s *site, secret string) error {
			return s.putWithin(secret, time.Now().Add(time.Hour), time.Now().Add(24*time.Hour))
		}),
	}
}

func (s *site) putWithin(secret string, from, to time.Time) error {
	_, err := s.vault.Put(secret, keyvault.CertificateOptions{NotBefore: from, NotAfter: to, WithChain: true})
	return err
}
