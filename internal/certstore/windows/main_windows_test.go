package windows

import (
	"os"
	"testing"
)

// TestMain also plays the second process that some tests start.
func TestMain(m *testing.M) {
	if thumbprint := os.Getenv("VAULTPANE_TEST_REMOVE"); thumbprint != "" {
		removeAsked(thumbprint)
	}
	os.Exit(m.Run())
}
