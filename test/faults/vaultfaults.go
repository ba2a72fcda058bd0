package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// vault is a fault that a vault shows until it is healed.
func vault(name string, reason v1alpha1.Reason, begin func(v *keyvault.Vault)) fault {
	return fault{
		name:   name,
		reason: reason,
		begin:  func(_ context.Context, s *site) error { begin(s.vault); return nil },
		end:    func(_ context.Context, s *site) error { s.vault.Heal(); return nil },
	}
}

// presents is a fault in the TLS certificate of a vault. Open connections end, so that clients see it.
func presents(name string, kind keyvault.ServerCertificate) fault {
	present := func(kind keyvault.ServerCertificate) func(context.Context, *site) error {
		return func(_ context.Context, s *site) error {
			s.vault.Stop()
			return both(func() error { return s.vault.Present(kind) }, s.vault.Start)
		}
	}
	return fault{name: name, reason: v1alpha1.ReasonTLSFailure, begin: present(kind), end: present(keyvault.Good)}
}

func vaultFaults() []fault {
	return []fault{
		vault("vault throttles: 429 with Retry-After", v1alpha1.ReasonThrottled, func(v *keyvault.Vault) { v.Throttle(time.Second, true, -1) }),
		vault("vault throttles: 429 without Retry-After", v1alpha1.ReasonThrottled, func(v *keyvault.Vault) { v.Throttle(time.Second, false, -1) }),
		vault("vault fails: 503", v1alpha1.ReasonVaultUnreachable, func(v *keyvault.Vault) {
			v.FailWith(http.StatusServiceUnavailable, "ServiceUnavailable", "", "The service is unavailable.", -1)
		}),
		vault("vault resets connections in the middle of a body", v1alpha1.ReasonVaultUnreachable, func(v *keyvault.Vault) { v.ResetMidBody(-1) }),
		vault("vault takes three seconds", "", func(v *keyvault.Vault) { v.Latency(3 * time.Second) }),
		{
			name:  "vault sends byte by byte",
			begin: func(_ context.Context, s *site) error { s.vault.Drip(5 * time.Millisecond); return nil },
			end: func(_ context.Context, s *site) error {
				s.vault.Heal()
				s.vault.Stop() // what is being sent would go on as slowly
				return s.vault.Start()
			},
		},
		vault("vault sends GOAWAY after each response", "", func(v *keyvault.Vault) { v.GoAway(true) }),
		vault("vault refuses the role: 403", v1alpha1.ReasonAccessDenied, func(v *keyvault.Vault) { v.Refuse(keyvault.Role, -1) }),
		vault("a portal answers instead of the vault", v1alpha1.ReasonVaultUnreachable, func(v *keyvault.Vault) { v.HTMLPage(-1) }),
		vault("vault's clock is three hours ahead", "", func(v *keyvault.Vault) { v.SkewClock(3 * time.Hour) }),
		vault("vault's clock is three hours behind", "", func(v *keyvault.Vault) { v.SkewClock(-3 * time.Hour) }),
		presents("vault's TLS certificate has expired", keyvault.Past),
		presents("vault's TLS certificate is for another name", keyvault.OtherName),
		presents("vault's TLS certificate is of an unknown authority", keyvault.UntrustedCA),
		{ // after those that start it
			name:   "vault does not listen",
			reason: v1alpha1.ReasonVaultUnreachable,
			begin:  func(_ context.Context, s *site) error { s.vault.Stop(); return nil },
			end:    func(_ context.Context, s *site) error { return s.vault.Start() },
		},
		{name: "vault's name does not resolve", reason: v1alpha1.ReasonVaultNotFound, begin: hideVault, end: showVault},
	}
}

// hiddenHost is a name that no resolver accepts: a label has 63 characters at most (RFC 1035, section 2.3.4). So none is asked.
var hiddenHost = strings.Repeat("x", 64) + ".localhost"

// hideVault gives every certificate a URL whose host does not resolve.
func hideVault(ctx context.Context, s *site) error {
	hidden := strings.Replace(s.vault.URL(), "localhost", hiddenHost, 1)
	for _, one := range s.wishes.wanted {
		one.Spec.URL = strings.Replace(one.Spec.URL, s.vault.URL(), hidden, 1)
	}
	_ = s.front.write(ctx, s.wishes.list()) // it fails while another site has taken the API server away; disturb writes them again
	return nil
}

func showVault(_ context.Context, s *site) error {
	for name, one := range s.wishes.wanted {
		one.Spec.URL = s.vault.SecretURL(name)
	}
	return nil // settle writes it
}

func loginFaults() []fault {
	return []fault{
		{
			name:   "token service does not listen",
			reason: v1alpha1.ReasonVaultUnreachable,
			begin:  func(_ context.Context, s *site) error { s.vaults.StopLogin(); return nil },
			end:    func(_ context.Context, s *site) error { return s.vaults.StartLogin() },
		},
		{
			name:   "token service refuses",
			reason: v1alpha1.ReasonAuthenticationFailed,
			begin: func(_ context.Context, s *site) error {
				s.vaults.RefuseLogin(s.vaults.ClientID(), keyvault.LoginRefusals[s.random.IntN(len(keyvault.LoginRefusals))])
				return nil
			},
			end: func(_ context.Context, s *site) error { s.vaults.HealLogin(); return nil },
		},
		{
			name:  "token service's signing key is replaced",
			begin: func(_ context.Context, s *site) error { s.vaults.RotateSigningKey(); return nil },
		},
	}
}
