//go:build !windows

package winservice

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestOtherSystemsSayWhatToUse(t *testing.T) {
	_, installed := Install(Config{})
	_, uninstalled := Uninstall(t.Context(), "agent", nil)
	_, started := Start(t.Context(), "agent", nil)
	_, stopped := Stop(t.Context(), "agent", nil)
	_, queried := Query("agent")
	for _, err := range []error{installed, uninstalled, started, stopped, queried, Run("agent", nil)} {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	}
	EventLog("agent").Error(EventFailed, "dropped")
	words := strings.Fields(ErrUnsupported.Error())
	if _, err := os.Stat("../../" + words[len(words)-1]); err != nil {
		t.Errorf("the message names a file: %v", err)
	}
}
