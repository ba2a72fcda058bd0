package main

import (
	"context"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// spoils is a fault in what the vault has under one name. Nothing else changes it meanwhile. In the end there is a good version.
func spoils(name string, reason v1alpha1.Reason, spoil func(s *site, secret string) error) fault {
	return spoilsOne(name, reason, func(s *site) string { return s.kept(s.random.IntN(keptCertificates)) }, spoil)
}

// spoilsOne is spoils for a name that choose returns.
func spoilsOne(name string, reason v1alpha1.Reason, choose func(s *site) string, spoil func(s *site, secret string) error) fault {
	return fault{
		name:   name,
		reason: reason,
		begin: func(_ context.Context, s *site) error {
			secret := choose(s)
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
		spoils("newest version is no certificate", v1alpha1.ReasonMalformedSecret, func(s *site, secret string) error {
			_, err := s.vault.SetSecret(secret, "application/x-pkcs12", "bm8gY2VydGlmaWNhdGU=")
			return err
		}),
		spoils("newest version is disabled", v1alpha1.ReasonSecretDisabled, func(s *site, secret string) error {
			if err := s.put(secret); err != nil {
				return err
			}
			return s.vault.Disable(secret, "")
		}),
		expires("newest version expires while it is installed"),
		spoilsOne("newest version has expired", v1alpha1.ReasonExpired, (*site).single, func(s *site, secret string) error {
			return s.putWithin(secret, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
		}),
		spoilsOne("newest version is not valid yet", v1alpha1.ReasonSecretNotYetValid, (*site).single, func(s *site, secret string) error {
			return s.putWithin(secret, time.Now().Add(time.Hour), time.Now().Add(24*time.Hour))
		}),
	}
}

// expires is a version that is installed while it is valid, and has expired before the fault ends. It is none of the single one: of
// that nothing else stays.
func expires(name string) fault {
	const validity = 3 * time.Second
	var begun time.Time
	others := func(s *site) string { return s.kept(s.random.IntN(keptCertificates - 1)) }
	one := spoilsOne(name, "", others, func(s *site, secret string) error {
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
