package versionwatch

import (
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// Where the clock was hours ahead and is set right, the next list does not wait for these hours.
func TestAClockThatIsSetBackDelaysNoList(t *testing.T) {
	secret, err := keyvault.ParseURL("https://shop.vault.azure.net/secrets/web")
	if err != nil {
		t.Fatal(err)
	}
	now := noon.Add(5 * time.Hour)
	w := &Watch{records: map[string]*record{}, byKey: map[string]string{}, windows: windows{}, Now: func() time.Time { return now }}
	list := func() time.Time {
		if due := w.begin(secret, time.Minute, now); !due.IsZero() {
			return due
		}
		next, _ := w.conclude(secret.String(), choice{version: "a"}, nil, 0)
		return next
	}
	list()
	now = noon
	if next := list(); next.After(noon.Add(2 * time.Minute)) {
		t.Errorf("the next list is at %s", next)
	}
}
