package e2eprograms

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vaultpane/vaultpane/test/await"
)

// What Wine does differently from Windows, and what these tests do about it, is here and in docs/testing.md, and nowhere else. The
// product does not know of it.

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
		if err := m.copyKey(t, machineKeys, userKeys, one); err != nil {
			t.Fatal(err)
		}
	}
}

// ownNCrypt has a program use Wine's own ncrypt.dll, which keeps no keys, but verifies with public ones; the stand-in does not.
var ownNCrypt = []string{"VAULTPANE_WINE_NCRYPT=b"}

// makeKeyFolder makes the folder of CAPI's machine keys, which each Windows has: Wine's are in the registry.
func (m *machine) makeKeyFolder(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(m.Dir, "drive_c", "ProgramData", "Microsoft", "Crypto", "RSA", "MachineKeys"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// Where Wine keeps the machine's roots, and where the tests keep one of them.
const (
	roots     = `HKLM\Software\Microsoft\SystemCertificates\Root\Certificates\`
	keptRoots = `HKLM\Software\Kept\`
)

// keepRoot waits until the agent has installed the root, and copies it out of LocalMachine\Root: under Wine 10 every process that opens
// Root for the first time removes what is not a root of the host. (An agent that runs repairs it.)
func (m *machine) keepRoot(t *testing.T) {
	t.Helper()
	await.That(t, "the root is installed", func() (bool, error) { return m.copyKey(t, roots, keptRoots, env.authority.thumbprint) == nil, nil })
}

// giveRoot puts the root that the agent installed back, after a program has opened Root.
func (m *machine) giveRoot(t *testing.T) {
	t.Helper()
	if err := m.copyKey(t, keptRoots, roots, env.authority.thumbprint); err != nil {
		t.Fatal(err)
	}
}

// copyKey copies a key of the registry to another.
func (m *machine) copyKey(t *testing.T, from, to, name string) error {
	t.Helper()
	_, err := m.Registry(t.Context(), "copy", from+name, to+name, "/s", "/f")
	return err
}
