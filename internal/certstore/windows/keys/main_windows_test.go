package keys

import (
	"os"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// TestMain also plays the second process that some tests start.
func TestMain(m *testing.M) {
	if name := os.Getenv("VAULTPANE_TEST_ACCESS_OF"); name != "" {
		printAccess(For(certstore.LocalMachine, strings.TrimPrefix(name, prefix), false, os.Getenv("VAULTPANE_TEST_CAPI") != ""))
	}
	if os.Getenv("VAULTPANE_TEST_LIFE") != "" {
		if err := life(); err != nil {
			os.Stdout.WriteString(err.Error() + "\n") //nolint:errcheck // the exit code tells
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func printAccess(where Container) {
	sddl, err := where.Access()
	if err != nil {
		sddl = err.Error()
	}
	os.Stdout.WriteString("access " + sddl + "\n") //nolint:errcheck // the reader misses it
	os.Exit(0)
}
