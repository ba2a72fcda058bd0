package e2emachine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/test/node"
)

// firstLimit is how long the first certificate may take from the agent's start.
const firstLimit = 10 * time.Second

func TestTheExtensionsSettingsInstallTheirCertificate(t *testing.T) {
	h := newHost(t)
	thumbprint := put(t, "first")
	store, key := "MY", "Present"
	if !native() {
		store, key = "TrustedPeople", "None" // Wine does not have CNG, where the extension's keys go
	}
	h.write(t, "extension.json", extension(t, store, "first"))
	start := time.Now()
	h.start(t)
	eventually(t, "the certificate is in the store", func() (bool, error) {
		all, err := h.List(t.Context())
		return slices.ContainsFunc(all, func(one node.Certificate) bool {
			return one.Thumbprint == thumbprint && strings.EqualFold(one.Store, `LocalMachine\`+store) && one.Key == key
		}), err
	})
	if took := time.Since(start); took > firstLimit {
		t.Errorf("the certificate took %s", took)
	} else {
		t.Logf("the certificate was seen after %s", took.Round(time.Millisecond))
	}
	h.status(t, 0, "first", "Installed", thumbprint)
	if got := requests("first"); got != 1 {
		t.Errorf("the vault had %d requests, want 1", got)
	}
}

func TestARotationArrivesWithPollAndTheOldOneStays(t *testing.T) {
	h := newHost(t)
	first := put(t, "rotated")
	h.write(t, "extension.yaml", simple(t, "rotated"))
	h.start(t)
	h.holds(t, "rotated", first)
	second := rotate(t, "rotated")
	if said := h.poll(t, 0); !strings.Contains(said, "rotated: Installed, "+second) {
		t.Errorf("poll says %q", said)
	}
	h.stillHolds(t, "rotated", first, second)
	h.status(t, 0, second)
}

func TestDriftIsRepaired(t *testing.T) {
	h := newHost(t)
	thumbprint := put(t, "drift")
	h.write(t, "extension.yaml", simple(t, "drift"))
	h.start(t)
	h.holds(t, "drift", thumbprint)
	if err := h.Forget(t.Context(), thumbprint); err != nil {
		t.Fatal(err)
	}
	h.holds(t, "drift", thumbprint)
	if done, err := h.says("repaired=true"); err != nil || !done {
		t.Errorf("the log has no repair (%v)", err)
	}
}
