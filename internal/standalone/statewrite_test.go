package standalone

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAStateThatCouldNotBeWrittenIsWrittenSoon(t *testing.T) {
	root, err := os.MkdirTemp("", "state") // Wine 8 cannot remove that of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) }) // a temporary folder
	obstacle := filepath.Join(root, "obstacle")
	if err := os.WriteFile(obstacle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	state := &State{Dir: filepath.Join(obstacle, "state"), Now: time.Now}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		state.Keep(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	soon(t, "a write fails", func() bool { return state.Failures() > 0 })
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	soon(t, "the state is written", func() bool {
		_, err := os.Stat(StatePath(state.Dir))
		return err == nil
	})
}

// soon waits until a condition holds, for less than RenewInterval.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(RenewInterval / 2); !holds(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}
