package windows

import (
	"os"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// TestMain also plays the second process that some tests start.
func TestMain(m *testing.M) {
	if name := os.Getenv("VAULTPANE_TEST_ACCESS_OF"); name != "" {
		printAccess(containerFor(certstore.LocalMachine, strings.TrimPrefix(name, ourPrefix), false, os.Getenv("VAULTPANE_TEST_CAPI") != ""))
	}
	if what := os.Getenv("VAULTPANE_TEST_PRETEND"); what != "" {
		pretend(what)
	}
	if thumbprint := os.Getenv("VAULTPANE_TEST_REMOVE"); thumbprint != "" {
		removeAsked(thumbprint)
	}
	os.Exit(m.Run())
}

func printAccess(where container) {
	sddl, err := where.access()
	if err != nil {
		sddl = err.Error()
	}
	os.Stdout.WriteString("access " + sddl + "\n") //nolint:errcheck // the reader misses it
	os.Exit(0)
}
