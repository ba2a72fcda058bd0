package windows

import (
	"context"
	"os"
	"testing"

	"github.com/vaultpane/vaultpane/internal/winservice"
)

// asService is the first argument of this test executable as a service, whose name follows.
const asService = "vaultpane-test-service"

// TestMain also plays the second process that some tests start, and a service.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == asService {
		_ = winservice.Run(os.Args[2], func(ctx context.Context) error { <-ctx.Done(); return nil })
		return
	}
	if thumbprint := os.Getenv("VAULTPANE_TEST_REMOVE"); thumbprint != "" {
		removeAsked(thumbprint)
	}
	os.Exit(m.Run())
}
