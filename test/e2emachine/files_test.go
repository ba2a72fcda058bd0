package e2emachine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestAWrongFileChangesNothing(t *testing.T) {
	h := newHost(t)
	kept, other := put(t, "kept"), put(t, "other")
	right := manifest(wish{name: "kept", policy: "Delete"})
	h.write(t, "a.yaml", right)
	h.start(t)
	h.holds(t, "kept", kept)
	h.write(t, "a.yaml", "observedCertificates: {")
	h.write(t, "b.yaml", manifest(wish{name: "other"}))
	h.holds(t, "other", other) // the right file counts
	h.status(t, 1, "a.yaml", kept, other)
	h.stillHolds(t, "kept", kept)
	h.start(t) // it knows nothing of what the wrong file had
	h.status(t, 1, "a.yaml", other)
	h.poll(t, 0, "other")
	h.stillHolds(t, "kept", kept)
	h.write(t, "a.yaml", right)
	h.status(t, 0, kept, other)
}

func TestAFileThatIsRemovedRemovesItsCertificates(t *testing.T) {
	h := newHost(t)
	removed, retained, other := put(t, "removed"), put(t, "retained"), put(t, "stays")
	h.write(t, "a.yaml", manifest(wish{name: "removed", policy: "Delete"}, wish{name: "retained"}))
	h.write(t, "b.yaml", manifest(wish{name: "stays", policy: "Delete"}))
	h.start(t)
	h.holds(t, "removed", removed)
	h.holds(t, "retained", retained)
	h.holds(t, "stays", other)
	h.remove(t, "a.yaml")
	h.holds(t, "removed")
	h.stillHolds(t, "retained", retained)
	h.stillHolds(t, "stays", other)
}

func TestAVanishedFolderRemovesNothing(t *testing.T) {
	h := newHost(t)
	first, second := put(t, "vanished"), put(t, "came-back")
	h.write(t, "a.yaml", manifest(wish{name: "vanished", policy: "Delete"}))
	h.start(t)
	h.holds(t, "vanished", first)
	away := h.settings() + "-away"
	if err := os.Rename(h.settings(), away); err != nil {
		t.Fatal(err)
	}
	h.status(t, 1, "cannot be read", "nothing is removed until it is back")
	h.poll(t, 0, "vanished") // it is still kept up to date
	h.stillHolds(t, "vanished", first)
	if err := os.WriteFile(filepath.Join(away, "b.yaml"), []byte(manifest(wish{name: "came-back"})), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, h.settings()); err != nil {
		t.Fatal(err)
	}
	h.holds(t, "came-back", second)
	h.status(t, 0)
	h.remove(t, "a.yaml") // followed as before
	h.holds(t, "vanished")
}

// A writer rewrites the settings while the agent polls a slow vault: with and without one certificate, in one step and in two.
func TestSettingsThatChangeDuringPollsEndAsTheyWereWrittenLast(t *testing.T) {
	h := newHost(t)
	always, sometimes := wish{name: "always", policy: "Delete"}, wish{name: "sometimes", policy: "Delete"}
	thumbprint := put(t, "always")
	put(t, "sometimes")
	env.shop.Latency(150 * time.Millisecond)
	h.write(t, "a.yaml", manifest(always))
	h.start(t)
	h.holds(t, "always", thumbprint)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { h.rewrite(t, stop, manifest(always), manifest(always, sometimes)) })
	for deadline := time.Now().Add(8 * time.Second); time.Now().Before(deadline); {
		held, err := h.held(t, "always")
		if err != nil || !slices.Equal(held, []string{thumbprint}) {
			t.Errorf("the store holds %v (%v)", held, err)
		}
	}
	close(stop)
	writer.Wait()
	env.shop.Heal()
	rotate(t, "sometimes")
	h.write(t, "a.yaml", manifest(always, sometimes))
	h.status(t, 0, "sometimes")
	h.poll(t, 0)
	h.settled(t, "always")
	h.settled(t, "sometimes")
	h.write(t, "a.yaml", manifest(always))
	h.holds(t, "sometimes")
	h.stillHolds(t, "always", thumbprint)
}

// rewrite writes one content after the other until it is stopped, every second time cut off first.
func (h *host) rewrite(t *testing.T, stop <-chan struct{}, contents ...string) {
	path := filepath.Join(h.settings(), "a.yaml")
	for i := 0; ; i++ {
		content := []byte(contents[i/2%len(contents)])
		var err error
		if i%2 == 0 {
			err = os.WriteFile(path, content[:len(content)*2/3], 0o644)
		}
		err = errors.Join(err, os.WriteFile(path, content, 0o644))
		if err != nil {
			t.Error(err)
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(50+i*37%700) * time.Millisecond): // sometimes longer than the agent waits for quiet
		}
	}
}
