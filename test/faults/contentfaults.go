package main

import (
	"context"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// spoils is a fault in what the vault has under one name. Nothing else changes it meanwhile. In the end there is a good version.
func spoils(name string, spoil func(s *site, secret string) error) fault {
	return spoilsAmong(keptCertificates, name, spoil)
}

// spoilsAmong is spoils for one of the first of the certificates that are kept.
func spoilsAmong(count int, name string, spoil func(s *site, secret string) error) fault {
	return fault{
		name: name,
		begin: func(_ context.Context, s *site) error {
			secret := s.kept(s.random.IntN(count))
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
		expires("newest version expires while it is installed"),
		spoils("newest version has expired", func(s *site, secret string) error {
			return s.putWithin(secret, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
		}),
		spoils("newest version is not valid yet", func(s *site, secret string) error {
			return s.putWithin(secret, time.Now().Add(time.Hour), time.Now().Add(24*time.Hour))
		}),
	}
}

// expires is a version that is installed while it is valid, and has expired before the fault ends. It is none of the single one: of
// that nothing else stays.
func expires(name string) fault {
	const validity = 3 * time.Second
	var begun time.Time
	one := spoilsAmong(keptCertificates-1, name, func(s *site, secret string) error {
		begun = time.Now()
		return s.putWithin(secret, begun.Add(-time.Hour), begun.Add(validity))
	})
	replace := one.end
	one.end = func(ctx context.Context, s *site) error {
		wait(ctx, time.Until(begun.Add(validity+500*time.Millisecond)))
		return replace(ctx, s)
	}
	return one
}

func (s *site) putWithin(secret string, from, to time.Time) error {
	_, err := s.vault.Put(secret, keyvault.CertificateOptions{NotBefore: from, NotAfter: to, WithChain: true})
	return err
}
