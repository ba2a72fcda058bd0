package programs

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// What Wine does differently from Windows, and what these tests do about it, is here and in docs/testing.md, and nowhere else. The
// product does not know of it.

// wineVersion is the major version of the Wine that hack/wine.sh runs.
func wineVersion(root string) (int, error) {
	text, err := exec.Command(filepath.Join(root, "hack", "wine.sh"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("asking for Wine's version: %w", err)
	}
	var major int
	if _, err := fmt.Sscanf(string(text), "wine-%d.", &major); err != nil {
		return 0, fmt.Errorf("reading Wine's version %q: %w", text, err)
	}
	return major, nil
}

// needsWine10 skips a test under an older Wine.
func needsWine10(t *testing.T, reason string) {
	t.Helper()
	if env.wineVersion < 10 {
		t.Skipf("this is Wine %d: %s; make test-wine10 runs it", env.wineVersion, reason)
	}
}

// Where Wine keeps the key containers of CAPI.
const machineKeys, userKeys = `HKLM\Software\Wine\Crypto\RSA\vaultpane-`, `HKCU\Software\Wine\Crypto\RSA\vaultpane-`

// giveUserKeys copies certificates' containers from the machine's key set to the user's: Wine's Schannel and its
// CryptAcquireCertificatePrivateKey look for every container there, whatever the certificate says. The agent is stopped, since it removes
// the copies, which no certificate of the user's refers to. Windows needs nothing of the kind.
func (m *machine) giveUserKeys(t *testing.T, thumbprints ...string) {
	t.Helper()
	for _, one := range thumbprints {
		if m.find(t, one).Key != "Present" {
			t.Fatalf("%s has no key", one)
		}
	}
	m.agent.Kill()
	for _, one := range thumbprints {
		if _, err := m.Registry(t.Context(), "copy", machineKeys+one, userKeys+one, "/s", "/f"); err != nil {
			t.Fatal(err)
		}
	}
}
