package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// testCheck has a machine whose certificate is on every node, and one with a certificate that no ObservedCertificate installs.
func testCheck(t *testing.T, s *site) {
	s.t = t
	s.report(at(nil))
	s.expect(0, nil, "wait", "--all")
	first, err := s.certificate("cert-000")
	if err != nil {
		t.Fatal(err)
	}
	listing := func(machine, url string) string {
		return fmt.Sprintf(`{"id": "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/%s/extensions/kv", "name": "kv",
			"publisher": "Microsoft.Azure.KeyVault", "typePropertiesType": "KeyVaultForWindows", "typeHandlerVersion": "3.0",
			"settings": {"secretsManagementSettings": {"observedCertificates": [%q]}}}`, machine, url)
	}
	file := filepath.Join(t.TempDir(), "extensions.json")
	if err := os.WriteFile(file, []byte("["+listing("vm1", first.Spec.URL)+","+listing("vm2", "https://other.vault.azure.net/secrets/missing")+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.expect(1, []string{
		"vm1: the extension may be removed", "cert-000 is on all 200 nodes, thumbprint " + first.Status.Thumbprint,
		"vm2: keep the extension", "no ObservedCertificate installs it", "The extension may be removed from 1 of 2 machines.",
	}, "convert", "--check", file)
	if err := os.WriteFile(file, []byte(listing("vm1", first.Spec.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.expect(0, []string{"The extension may be removed from 1 of 1 machine."}, "convert", "--check", file)
}
