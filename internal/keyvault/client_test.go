package keyvault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestTheLatestAndAPinnedVersionAreRead(t *testing.T) {
	f := newFixture(t)
	first, err := f.vault.Put("web", vaulttest.CertificateOptions{KeyType: vaulttest.P256})
	check(t, err)
	second, err := f.vault.Rotate("web")
	check(t, err)
	tests := []struct{ name, url, want string }{
		{"the latest", f.vault.SecretURL("web"), second.Version},
		{"the first", f.vault.SecretURL("web") + "/" + first.Version, first.Version},
		{"the latest by its version", f.vault.SecretURL("web") + "/" + strings.ToUpper(second.Version), second.Version},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := f.clients.Get(t.Context(), urlOf(t, test.url), "", time.Time{})
			if err != nil || got.Version != test.want || got.ContentType != "application/x-pkcs12" || len(got.Value) == 0 {
				t.Errorf("got version %s of type %q, error %v, want %s", got.Version, got.ContentType, err, test.want)
			}
		})
	}
}

func TestAThousandRequestsNeedOneChallengeAndOneConnection(t *testing.T) {
	const requests, workers = 1000, 25
	tests := []struct {
		name       string
		vaults     []string
		identities []string
	}{
		{"one vault", []string{"shop"}, []string{""}},
		{"two vaults", []string{"shop", "ops"}, []string{""}},
		{"two identities", []string{"shop"}, []string{"", "11111111-2222-3333-4444-555555555555"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			setEnvironment(t, federated(t, f.server))
			work := make(chan func(), requests)
			errs := make(chan error, requests)
			for i := range requests {
				vault := f.server.Vault(test.vaults[i%len(test.vaults)])
				vault.PutRaw(fmt.Sprintf("word-%d", i), "", secretValue)
				secret, identity := urlOf(t, vault.SecretURL(fmt.Sprintf("word-%d", i))), test.identities[i%len(test.identities)]
				work <- func() {
					_, err := f.clients.Get(t.Context(), secret, identity, time.Time{})
					errs <- err
				}
			}
			close(work)
			runAll(work, workers)
			close(errs)
			for err := range errs {
				check(t, err)
			}
			for _, name := range test.vaults {
				stats := f.server.Vault(name).Stats()
				if stats.ByCode[http.StatusOK] != requests/len(test.vaults) || stats.Unauthorized != len(test.identities) || stats.Connections != 1 {
					t.Errorf("%s: got %+v, want %d responses, a challenge per identity, one connection", name, stats, requests/len(test.vaults))
				}
			}
			if got := f.server.TokenRequests(); got != len(test.identities) {
				t.Errorf("got %d token requests, want %d", got, len(test.identities))
			}
		})
	}
}

func runAll(work <-chan func(), workers int) {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for do := range work {
				do()
			}
		})
	}
	group.Wait()
}

func TestAHostThatIsNotAllowedGetsNoRequest(t *testing.T) {
	f := newFixture(t)
	stranger := vaulttest.ForTest(t, "shop")
	port := f.vault.URL()[len("https://localhost:"):]
	clients, wire := newClients(t, Options{
		AllowedHosts: []string{"localhost:" + port}, CABundle: append(f.server.CAPEM(), stranger.CAPEM()...),
		DisableChallengeResourceVerification: true,
	})
	f.clients, f.wire = clients, wire
	f.mustRead(t)
	tokens := f.server.TokenRequests()
	_, err := f.clients.Get(t.Context(), urlOf(t, stranger.Vault("shop").SecretURL("word")), "", time.Time{})
	var failure *Failure
	if !errors.As(err, &failure) || failure.Reason != v1alpha1.ReasonVaultNotAllowed ||
		!strings.Contains(failure.Message, stranger.Vault("shop").URL()[len("https://"):]) {
		t.Errorf("got %v, want VaultNotAllowed that names the host", err)
	}
	stats := stranger.Vault("shop").Stats()
	if stats.Connections != 0 || stranger.TokenRequests() != 0 || f.server.TokenRequests() != tokens {
		t.Errorf("got %+v and %d new tokens, want no connection and no token", stats, f.server.TokenRequests()-tokens)
	}
}

func TestObserveIsCalledForEveryResponse(t *testing.T) {
	f := newFixture(t)
	var mu sync.Mutex
	codes := map[string]int{}
	options := f.options()
	options.Observe = func(code string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		codes[code]++
		if took < 0 {
			t.Errorf("got a request of %s", took)
		}
	}
	f.clients, f.wire = newClients(t, options)
	f.mustRead(t)
	_, _ = f.read(t, f.vault, "missing") // 404
	f.vault.Stop()
	_, _ = f.read(t, f.vault, "word")
	mu.Lock()
	defer mu.Unlock()
	if codes["401"] != 1 || codes["404"] != 1 || codes["error"] != 1 || codes["200"] < 2 {
		t.Errorf("got %v, want 401, 404 and error once, and 200 for the token and the secret", codes)
	}
}

func TestUnusableOptionsAreRefused(t *testing.T) {
	for name, options := range map[string]Options{
		"an allowed host with a scheme":   {AllowedHosts: []string{"https://localhost"}},
		"a CA bundle that is no PEM file": {CABundle: []byte("not a certificate")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(options); err == nil {
				t.Error("got no error")
			}
		})
	}
}
