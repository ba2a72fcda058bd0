package bundle

import (
	"strings"
	"testing"
)

func TestOnlyCryptoAPIsProvidersOfWindowsAreCAPI(t *testing.T) {
	for name, want := range map[string]bool{
		"Microsoft Base Cryptographic Provider v1.0":            true,
		"Microsoft Strong Cryptographic Provider":               true,
		"Microsoft Enhanced Cryptographic Provider v1.0":        true,
		"Microsoft Enhanced RSA and AES Cryptographic Provider": true,
		"Microsoft RSA SChannel Cryptographic Provider":         true,
		"MICROSOFT ENHANCED RSA AND AES CRYPTOGRAPHIC PROVIDER": true,
		"": false,
		"Microsoft Software Key Storage Provider":                      false,
		"Microsoft Platform Crypto Provider":                           false,
		"Microsoft Passport Key Storage Provider":                      false,
		"Microsoft Base Smart Card Crypto Provider":                    false,
		"Microsoft Base DSS and Diffie-Hellman Cryptographic Provider": false,
		"Luna Cryptographic Services for Microsoft Windows":            false,
		"Microsoft Enhanced RSA and AES Cryptographic Provider 2":      false,
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			if got := CAPIProvider(name); got != want {
				t.Errorf("got %v", got)
			}
		})
	}
}
