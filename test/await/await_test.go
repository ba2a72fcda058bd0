package await

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestAnErrorIsNotTheEnd(t *testing.T) {
	asked := 0
	That(t, "it was asked three times", func() (bool, error) {
		asked++
		if asked == 2 {
			return true, errors.New("not yet")
		}
		return asked == 3, nil
	})
	if asked != 3 {
		t.Errorf("it was asked %d times, want 3", asked)
	}
}

func TestWhatWasWaitedForAndTheLastErrorAreSaid(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	away := errors.New("it is away")
	err := Until(ctx, "it is there", func() (bool, error) {
		cancel()
		return false, away
	})
	if !errors.Is(err, away) || !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "timed out waiting until it is there: ") {
		t.Errorf("got %v", err)
	}
}
