package eventgrid

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/vaultpane/vaultpane/test/await"
	gridtest "github.com/vaultpane/vaultpane/test/eventgrid"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// Each failure has its reason and a message that says what to do, is logged once however often it occurs, and ends by itself.
func TestFailures(t *testing.T) {
	tests := []struct {
		name   string
		begin  func(f *fixture)
		end    func(f *fixture)
		reason Reason
		says   []string
	}{
		{
			"a deleted or expired subscription", func(f *fixture) { f.grid.DeleteSubscription() }, func(f *fixture) { f.grid.CreateSubscription() },
			NotFound, []string{"HTTP 404 NotFound", "--event-grid-subscription"},
		},
		{
			"a deleted topic", func(f *fixture) { f.grid.FailWith(http.StatusGone, "Gone", "The topic was not found.", 0, -1) }, (*fixture).heal,
			NotFound, []string{"HTTP 410 Gone: The topic was not found; create the topic", "--event-grid-topic"},
		},
		{
			"a missing role", func(f *fixture) { f.grid.Deny(f.vaults.ClientID()) }, (*fixture).heal,
			AccessDenied, []string{"HTTP 401 Unauthorized", `grant "EventGrid Data Receiver"`, "client id "},
		},
		{
			"a namespace without access for this address", func(f *fixture) { f.grid.FailWith(http.StatusForbidden, "Forbidden", "Access is denied.", 0, -1) }, (*fixture).heal,
			AccessDenied, []string{"HTTP 403 Forbidden", "outbound address"},
		},
		{
			"a refused token", func(f *fixture) {
				f.grid.FailWith(http.StatusUnauthorized, "Unauthorized", "Error authenticating.", 0, -1)
			}, (*fixture).heal,
			AuthenticationFailed, []string{"HTTP 401 Unauthorized", "EventGrid Data Receiver"},
		},
		{
			"a wrong client secret", func(f *fixture) { f.vaults.RefuseLogin(f.vaults.ClientID(), vaulttest.WrongSecret) }, func(f *fixture) { f.vaults.HealLogin() },
			AuthenticationFailed, []string{"AADSTS7000215", "AZURE_CLIENT_SECRET"},
		},
		{
			"a token service that is away", func(f *fixture) { f.vaults.StopLogin() }, func(f *fixture) { _ = f.vaults.StartLogin() },
			Unreachable, []string{"token service 127.0.0.1"},
		},
		{
			"throttling", func(f *fixture) {
				f.grid.FailWith(http.StatusTooManyRequests, "TooManyRequests", "Too many requests.", 0, -1)
			}, (*fixture).heal,
			Throttled, []string{"HTTP 429 TooManyRequests"},
		},
		{
			"an outage", func(f *fixture) { f.grid.FailWith(http.StatusServiceUnavailable, "ServiceUnavailable", "", 0, -1) }, (*fixture).heal,
			Unreachable, []string{"HTTP 503 ServiceUnavailable"},
		},
		{
			"another service", func(f *fixture) { f.grid.FailWith(http.StatusBadRequest, "BadRequest", "No such operation.", 0, -1) }, (*fixture).heal,
			Refused, []string{"HTTP 400 BadRequest", "is the endpoint of an Event Grid namespace"},
		},
		{
			"another service that answers every request", func(f *fixture) { f.grid.FailWith(http.StatusOK, "OK", "", 0, -1) }, (*fixture).heal,
			Unreachable, []string{"not Event Grid's JSON"},
		},
		{
			"a sign-in page", func(f *fixture) { f.grid.HTMLPage() }, (*fixture).heal,
			Unreachable, []string{"not Event Grid's JSON"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, gridtest.Options{})
			test.begin(f)
			r := f.start(t)
			state := awaitReason(t, r, test.reason)
			for _, text := range test.says {
				if !strings.Contains(state.Message, text) {
					t.Errorf("got %q, want %q in it", state.Message, text)
				}
			}
			if strings.ContainsAny(state.Message, "\r\n") || strings.Contains(state.Message, os.Getenv("AZURE_CLIENT_SECRET")) {
				t.Errorf("got %q", state.Message)
			}
			await.That(t, "it has failed five times", func() (bool, error) {
				return testutil.ToFloat64(r.counted.receives.WithLabelValues(string(test.reason))) >= 5, nil
			})
			if again := r.State(); again.Message != state.Message || again.Since != state.Since {
				t.Errorf("the state changes from attempt to attempt: %+v, then %+v", state, again)
			}
			if lines := f.logged(); len(lines) != 1 || !strings.Contains(lines[0], "not received") {
				t.Errorf("got the lines %q, want one", lines)
			}

			test.end(f)
			f.grid.Publish(renewal("web"))
			f.awaitLooks(t, 1)
			awaitReason(t, r, "")
			f.awaitEmpty(t)
			if lines := f.logged(); len(lines) != 2 || !strings.Contains(lines[1], "Receiving events") {
				t.Errorf("got the lines %q, want another one", lines)
			}
		})
	}
}

func (f *fixture) heal() { f.grid.Heal() }

func TestRetryAfterIsHeard(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	f.grid.FailWith(http.StatusTooManyRequests, "TooManyRequests", "", 30*time.Second, 2)
	f.grid.Publish(renewal("web"))
	f.start(t)
	f.awaitEmpty(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waits) != 2 || f.waits[0] != 30*time.Second || f.waits[1] != 30*time.Second {
		t.Errorf("got waits %v, want 30s twice", f.waits)
	}
}

func TestBackoffGrowsToMinutesAndKeepsRetryAfter(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	r, err := New(f.options())
	if err != nil {
		t.Fatal(err)
	}
	longest := time.Duration(0)
	for range 200 {
		first, late := r.backoff(1, 0), r.backoff(100, 0)
		if first > 2*time.Second || late > maxBackoff || first < time.Second {
			t.Fatalf("got %s at first and %s later", first, late)
		}
		longest = max(longest, late)
		if asked := r.backoff(1, 10*time.Minute); asked < 10*time.Minute || asked > 11*time.Minute {
			t.Fatalf("got %s, want what Event Grid asks for and a tenth at most", asked)
		}
	}
	if longest < maxBackoff/2 {
		t.Errorf("the longest wait is %s, want minutes", longest)
	}
}

// A token that Event Grid refuses is dropped at once: the SDK's own policy would get the same one from the cache until it expires.
func TestARefusedTokenIsReplacedAtOnce(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	f.grid.Publish(renewal("web"))
	r := f.start(t)
	f.awaitEmpty(t)
	f.vaults.RotateSigningKey()
	f.grid.Publish(renewal("api"))
	f.awaitLooks(t, 2)
	if stats := f.awaitEmpty(t); stats.ByCode[http.StatusUnauthorized] > 1 {
		t.Errorf("got %d responses 401, want one", stats.ByCode[http.StatusUnauthorized])
	}
	awaitReason(t, r, "")
	if failures := len(f.waits); failures != 0 {
		t.Errorf("%d rounds failed", failures)
	}
}

// An endpoint cannot choose which token it gets: the identity is asked for no other resource and no other tenant.
func TestAChallengeChangesNeitherResourceNorTenant(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	f.grid.Publish(renewal("web"))
	r := f.start(t)
	f.awaitEmpty(t) // with a token that is kept from now on
	f.grid.Challenge(`Bearer authorization="https://login.attacker.example/11111111-2222-4333-8444-555555555555", resource="https://management.azure.com"`)
	f.grid.Publish(renewal("web")) // ends the receive that waits
	state := awaitReason(t, r, AuthenticationFailed)
	if !strings.Contains(state.Message, "HTTP 401 Unauthorized") {
		t.Errorf("got %q, want Event Grid's refusal", state.Message)
	}
	f.grid.Heal()
	f.grid.ExpireLocks()
	f.awaitEmpty(t)
	awaitReason(t, r, "")
}

// Three events of 900 kB are more than a response may have. They are received one by one when their locks expire.
func TestABatchThatIsTooLargeIsReceivedInParts(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	f.failed = f.grid.ExpireLocks
	for _, name := range []string{"a", "b", "c"} {
		f.grid.Publish(large(name, 900_000))
	}
	r := f.start(t)
	f.awaitLooks(t, 3)
	if stats := f.awaitEmpty(t); stats.Dropped != 0 {
		t.Errorf("%d events were given up", stats.Dropped)
	}
	awaitReason(t, r, "")
	if lines := strings.Join(f.logged(), "\n"); !strings.Contains(lines, "larger than 2 MiB together; fewer") {
		t.Errorf("got the lines %q", lines)
	}
}
