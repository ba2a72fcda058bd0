package main

import (
	"fmt"
	"path/filepath"

	"github.com/vaultpane/vaultpane/test/node"
)

// settingsTitle says what the settings are. Wine has no CNG, which Windows uses for keys by default, and the extension's settings
// cannot name another provider.
func (s *stage) settingsTitle() string {
	if s.machine.Kind == node.Wine {
		return "An ObservedCertificate in a file, as for a cluster, and the agent"
	}
	return "The settings of the Key Vault VM extension, as they are, and the agent"
}

func (s *stage) file() string {
	if s.machine.Kind == node.Wine {
		return filepath.Join(s.dir, "settings.yaml")
	}
	return filepath.Join(s.dir, "settings.json")
}

// settings are those that the extension's first documentation has, or their equivalent for Wine.
func (s *stage) settings() string {
	url := s.vaults.Vault("shop").SecretURL("web")
	if s.machine.Kind == node.Wine {
		return fmt.Sprintf(`apiVersion: vaultpane.dev/v1alpha1
kind: ObservedCertificate
metadata:
  name: web
spec:
  url: %s
  keyStorageProvider: CAPI
`, url)
	}
	return fmt.Sprintf(`{
  "secretsManagementSettings": {
    "pollingIntervalInS": "3600",
    "certificateStoreName": "MY",
    "certificateStoreLocation": "LOCAL_MACHINE",
    "observedCertificates": ["%s"]
  }
}
`, url)
}
