package e2emachine

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// servers are the certificates of the test. Their specs change.
type servers []wish

func (s servers) names() []string {
	var names []string
	for _, one := range s {
		names = append(names, one.name)
	}
	return names
}

func TestKilledAtAnyMomentTheStoreHasEveryCertificateWithItsKey(t *testing.T) {
	kills := 40
	if !native() {
		kills = 15 // each takes longer
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h, all := newHost(t), servers{}
	for i := range 4 {
		all = append(all, wish{name: fmt.Sprintf("killed-%d", i), interval: month, policy: "Delete", history: 1})
		if _, err := env.shop.Put(all[i].name, keyvault.CertificateOptions{WithChain: true}); err != nil {
			t.Fatal(err)
		}
	}
	h.write(t, "a.yaml", manifest(all...))
	h.start(t)
	h.allSettled(t, all)
	watch := h.watch(t, all.names())
	env.shop.Latency(20 * time.Millisecond) // so that a sync has a middle
	unfinished := map[string]bool{}
	for number := range kills {
		wait := working() // from its start: what was changed while it was away is processed at once
		if number%2 == 0 {
			h.disturb(t, random, all)
			wait = settling
		}
		moment := time.NewTimer(wait + time.Duration(random.Int64N(int64(500*time.Millisecond))))
		<-moment.C
		h.agent.Kill()
		if number%2 == 0 {
			h.disturb(t, random, all)
		}
		for _, file := range h.unfinished(t) {
			unfinished[file] = true
		}
		h.start(t)
		if number%10 == 9 { // now and then it comes to an end of its work
			h.allSettled(t, all)
		}
	}
	h.allSettled(t, all)
	t.Logf("%d files were unfinished after a kill", len(unfinished))
	watch.sawCertificates(t, kills/2)
	h.agreed(t, all)
}

// settling is how long the agent waits for more changes of a file before it reads it.
const settling = 300 * time.Millisecond

// working is how long an agent takes from its start until it works, at least.
func working() time.Duration {
	if native() {
		return 30 * time.Millisecond
	}
	return 500 * time.Millisecond // Wine starts it
}

// disturb renews and changes certificates: the agent has to write.
func (h *host) disturb(t *testing.T, random *rand.Rand, all servers) {
	t.Helper()
	for i := range all {
		switch random.IntN(4) {
		case 0, 1:
			rotate(t, all[i].name)
			all[i].requested = time.Now().UTC().Format(time.RFC3339Nano)
		case 2:
			all[i].export = !all[i].export
		}
	}
	h.write(t, "a.yaml", manifest(all...))
}

// allSettled polls every certificate and waits until state, store and vault agree.
func (h *host) allSettled(t *testing.T, all servers) {
	t.Helper()
	for i := range all {
		all[i].requested = time.Now().UTC().Format(time.RFC3339Nano)
	}
	h.write(t, "a.yaml", manifest(all...))
	for _, name := range all.names() {
		h.settled(t, name)
	}
	h.status(t, 0)
}

// unfinished are the half-written files of a directory store and of the state, and keys whose certificate is not there.
func (h *host) unfinished(t *testing.T) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(h.state(), "*.unfinished"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(h.StorePath(), "*", "*", "*"))
	for _, file := range files {
		base, isKey := strings.CutSuffix(file, ".key")
		if strings.HasSuffix(file, ".unfinished") || isKey && !slices.Contains(files, base+".pem") {
			left = append(left, file)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// agreed checks that nothing is left over, and that the store has what the settings say: the newest version and the one before.
func (h *host) agreed(t *testing.T, all servers) {
	t.Helper()
	for _, name := range all.names() {
		newest := env.shop.Thumbprint(name)
		eventually(t, "the store has two versions of "+name, func() (bool, error) {
			held, err := h.held(t, name)
			if len(held) != 2 || !slices.Contains(held, newest) {
				return false, fmt.Errorf("it holds %v, the newest is %s", held, newest)
			}
			return true, err
		})
	}
	eventually(t, "nothing is left over", func() (bool, error) {
		left := h.unfinished(t)
		if len(left) > 0 {
			return false, fmt.Errorf("left over are %v", left)
		}
		return true, nil
	})
	h.everyKeyHasItsCertificate(t)
}

func (h *host) everyKeyHasItsCertificate(t *testing.T) {
	t.Helper()
	certificates, err := h.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	thumbprints := map[string]bool{}
	for _, one := range certificates {
		thumbprints[one.Thumbprint] = true
	}
	h.agent.Kill()
	keys, err := h.Keys()
	if err != nil || len(keys) == 0 {
		t.Errorf("the machine has %d keys (%v)", len(keys), err)
	}
	for _, key := range keys {
		if !thumbprints[key] {
			t.Errorf("the key of %s is left over", key)
		}
	}
}
