package eventgrid

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/vaultpane/vaultpane/test/await"
	gridtest "github.com/vaultpane/vaultpane/test/eventgrid"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// fixture is a namespace beside a vault, and what receivers ask of the version watch.
type fixture struct {
	vaults *vaulttest.Server
	grid   *gridtest.Server
	unused map[string]bool // names of secrets that nothing uses
	failed func()          // is called after a failed round; may be nil

	mu    sync.Mutex
	looks []secret
	waits []time.Duration // Retry-After of each failed round
	lines []string        // of the log at level 0
	all   []string        // of the log at any level
}

// newFixture starts a namespace. The client id is its own in each test: MSAL keeps tokens for the whole process.
func newFixture(t *testing.T, options gridtest.Options) *fixture {
	t.Helper()
	f := &fixture{vaults: vaulttest.ForTest(t, "shop"), unused: map[string]bool{}}
	for _, name := range []string{"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TOKEN_CREDENTIALS", "HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, "")
	}
	for _, variable := range f.vaults.Env() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	options.Vaults = f.vaults
	f.grid = gridtest.ForTest(t, options)
	return f
}

func (f *fixture) options() Options {
	return Options{
		Endpoint: f.grid.Endpoint(), Topic: f.grid.Topic(), Subscription: f.grid.Subscription(), AllowedHosts: []string{"localhost"},
		CABundle: f.vaults.CAPEM(), Look: f.look,
	}
}

func (f *fixture) look(authority, name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks = append(f.looks, secret{authority, name})
	return !f.unused[name]
}

func (f *fixture) looked() []secret {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]secret(nil), f.looks...)
}

// newReceiver returns a receiver that does not wait long between its attempts.
func (f *fixture) newReceiver(t *testing.T, options Options) *Receiver {
	t.Helper()
	r, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	r.backoff = func(_ int, retryAfter time.Duration) time.Duration {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waits = append(f.waits, retryAfter)
		if f.failed != nil {
			f.failed()
		}
		return 20 * time.Millisecond
	}
	return r
}

// run runs a receiver until the end of the test, or until stop is called, which waits for its end.
func (f *fixture) run(t *testing.T, r *Receiver) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(logr.NewContext(context.Background(), f.logger()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run returned %v, want nil", err)
			}
		case <-time.After(await.Limit):
			t.Error("Run did not return")
		}
	})
	t.Cleanup(stop)
	return stop
}

func (f *fixture) logger() logr.Logger {
	return funcr.NewJSON(func(line string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all = append(f.all, line)
		if strings.Contains(line, `"level":0`) {
			f.lines = append(f.lines, line)
		}
	}, funcr.Options{Verbosity: 2})
}

func (f *fixture) logged() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.lines...)
}

// start runs a receiver with the fixture's options.
func (f *fixture) start(t *testing.T) *Receiver {
	t.Helper()
	r := f.newReceiver(t, f.options())
	f.run(t, r)
	return r
}

// awaitLooks waits for a number of looks.
func (f *fixture) awaitLooks(t *testing.T, count int) []secret {
	t.Helper()
	await.That(t, fmt.Sprintf("%d looks are asked for", count), func() (bool, error) { return len(f.looked()) >= count, nil })
	return f.looked()
}

// awaitEmpty waits until all events are acknowledged.
func (f *fixture) awaitEmpty(t *testing.T) gridtest.Stats {
	t.Helper()
	await.That(t, "all events are acknowledged", func() (bool, error) {
		stats := f.grid.Stats()
		if stats.Pending > 0 {
			return false, fmt.Errorf("%d events are left", stats.Pending)
		}
		return true, nil
	})
	return f.grid.Stats()
}

// awaitReason waits until a receiver fails for a reason, none for empty, after at least one round.
func awaitReason(t *testing.T, r *Receiver, reason Reason) State {
	t.Helper()
	await.That(t, fmt.Sprintf("the reason is %q", reason), func() (bool, error) {
		r.mu.Lock()
		told := r.told
		r.mu.Unlock()
		state := r.State()
		if state.Reason != reason {
			return false, fmt.Errorf("the reason is %q: %s", state.Reason, state.Message)
		}
		return told, nil
	})
	return r.State()
}

// renewal returns the event for a secret of the vault sample-kv.
func renewal(name string) gridtest.Event {
	return gridtest.KeyVaultEvent(gridtest.Object{
		VaultURL: "https://sample-kv.vault.azure.net", VaultName: "sample-kv", Kind: "Secret", Name: name, Version: "ee059b2bb5bc48398a53b168c6cdcb10",
	}, "NewVersionCreated")
}
