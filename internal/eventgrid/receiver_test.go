package eventgrid

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/test/await"
	gridtest "github.com/vaultpane/vaultpane/test/eventgrid"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestARotationInTheVaultAsksForALook(t *testing.T) {
	f := newFixture(t, gridtest.Options{Follow: true})
	r := f.start(t)
	vault := f.vaults.Vault("shop")
	if _, err := vault.Put("Web", vaulttest.CertificateOptions{KeyType: vaulttest.P256}); err != nil {
		t.Fatal(err)
	}
	f.awaitLooks(t, 1)
	stats := f.awaitEmpty(t)
	want := secret{authority: strings.TrimPrefix(vault.URL(), "https://"), name: "Web"}
	for _, got := range f.looked() {
		if got != want {
			t.Errorf("got a look at %v, want %v", got, want)
		}
	}
	if stats.Acknowledged != 2 {
		t.Errorf("got %d acknowledged events, want 2, of the certificate and of its secret", stats.Acknowledged)
	}
	state := awaitReason(t, r, "")
	if age := time.Since(state.LastReceive); age < 0 || age > await.Limit || !state.Since.IsZero() || state.Message != "" {
		t.Errorf("got %+v", state)
	}
	for _, name := range []string{"one", "two", "three"} {
		f.grid.Publish(renewal(name))
		f.awaitEmpty(t)
	}
	if lines := f.logged(); len(lines) != 1 {
		t.Errorf("got the lines %q, want one for the first success", lines)
	}
	if requests := stats.Requests[gridtest.Receive] + stats.Requests[gridtest.Acknowledge]; requests > 5 {
		t.Errorf("got %d requests for two events", requests)
	}
}

func TestEachEventReachesOneOfSeveralReceivers(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	for range 3 {
		f.start(t)
	}
	want := map[string]int{}
	for i := range 500 {
		name := fmt.Sprintf("web-%d", i)
		want[name] = 1
		f.grid.Publish(renewal(name))
	}
	f.awaitLooks(t, len(want))
	if stats := f.awaitEmpty(t); stats.Delivered != len(want) || stats.Acknowledged != len(want) {
		t.Errorf("got %+v, want each event delivered and acknowledged once", stats)
	}
	got := map[string]int{}
	for _, about := range f.looked() {
		got[about.name]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("looks (-want +got):\n%s", diff)
	}
}

// A leader that dies between the receive and the acknowledgement leaves its events locked.
func TestAnEventOfAReceiverThatDiesIsDeliveredToTheNext(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	f.grid.Publish(renewal("web"))
	options := f.options()
	dying := make(chan struct{})
	options.Look = func(string, string) bool { close(dying); select {} } // it never returns, as in a process that is killed
	killed := f.newReceiver(t, options)
	go func() { _ = killed.Run(t.Context()) }()
	<-dying
	f.grid.ExpireLocks()
	f.start(t)
	f.awaitLooks(t, 1)
	if stats := f.awaitEmpty(t); stats.Delivered != 2 || stats.Acknowledged != 1 {
		t.Errorf("got %+v, want two deliveries and one acknowledgement", stats)
	}
}

func TestALostResponseIsNoLostEvent(t *testing.T) {
	for _, operation := range []string{gridtest.Receive, gridtest.Acknowledge} {
		t.Run(operation, func(t *testing.T) {
			f := newFixture(t, gridtest.Options{})
			f.failed = f.grid.ExpireLocks
			f.grid.DropResponses(operation, 1)
			f.grid.Publish(renewal("web"))
			r := f.start(t)
			f.awaitLooks(t, 1)
			f.awaitEmpty(t)
			f.grid.Publish(renewal("another")) // it goes on
			await.That(t, "another look is asked for", func() (bool, error) {
				looks := f.looked()
				return looks[len(looks)-1].name == "another", nil
			})
			f.awaitEmpty(t)
			awaitReason(t, r, "")
		})
	}
}

// The same event twice, and several events about one secret, as for a certificate and its secret, are one look while they arrive
// together.
func TestDoubledEventsOfOneBatchAreOneLook(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	once := renewal("web")
	f.grid.Publish(once, renewal("api"), once, renewal("WEB"), renewal("web"))
	f.start(t)
	f.awaitEmpty(t)
	if diff := cmp.Diff([]secret{{"sample-kv.vault.azure.net", "web"}, {"sample-kv.vault.azure.net", "api"}}, f.looked(), cmp.AllowUnexported(secret{})); diff != "" {
		t.Errorf("looks (-want +got):\n%s", diff)
	}
	f.grid.Publish(once)
	f.awaitLooks(t, 3) // later it is another look: the version may be another by now
}

// What waited while no controller ran arrives in batches, and asks for one look for each secret and batch.
func TestTenThousandWaitingEventsAreReadInBatches(t *testing.T) {
	const events, secrets = 10_000, 20
	f := newFixture(t, gridtest.Options{})
	for i := range events {
		f.grid.Publish(renewal(fmt.Sprintf("web-%d", i%secrets)))
	}
	r := f.start(t)
	stats := f.awaitEmpty(t)
	if stats.Delivered != events || stats.Acknowledged != events {
		t.Errorf("got %+v, want each event once", stats)
	}
	if receives := stats.Requests[gridtest.Receive]; receives > events/maxBatch+2 {
		t.Errorf("got %d receives, want about %d", receives, events/maxBatch)
	}
	if looks := len(f.looked()); looks != secrets*events/maxBatch {
		t.Errorf("got %d looks, want %d", looks, secrets*events/maxBatch)
	}
	awaitReason(t, r, "")
}

func TestTheReceiverStopsInTheMiddle(t *testing.T) {
	tests := []struct {
		name string
		meet func(t *testing.T, f *fixture, r *Receiver) // brings the receiver there
	}{
		{"of a receive", func(t *testing.T, f *fixture, r *Receiver) {
			f.grid.Publish(renewal("web"))
			f.awaitEmpty(t)
			awaitReason(t, r, "") // the next receive waits for an event
		}},
		{"of a slow response", func(t *testing.T, f *fixture, _ *Receiver) {
			f.grid.Delay(time.Hour)
			f.grid.Publish(renewal("web"))
		}},
		{"of a wait after a failure", func(t *testing.T, f *fixture, r *Receiver) {
			f.grid.DeleteSubscription()
			awaitReason(t, r, NotFound)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, gridtest.Options{})
			r := f.newReceiver(t, f.options())
			r.backoff = func(int, time.Duration) time.Duration { return time.Hour }
			stop := f.run(t, r)
			test.meet(t, f, r)
			before, began := r.State(), time.Now()
			stop()
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if after := r.State(); after.Reason != before.Reason {
				t.Errorf("the end is a failure: %+v", after)
			}
		})
	}
}

// An endpoint that does not wait for an event, or that delivers the same one again and again, is not asked without a pause.
func TestAnEndpointIsNotAskedWithoutAPause(t *testing.T) {
	for name, spoil := range map[string]func(*fixture){
		"it does not wait for an event": func(f *fixture) { f.grid.IgnoreWait() },
		"no lock is held":               func(f *fixture) { f.grid.Publish(renewal("web")) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, gridtest.Options{LockDuration: time.Nanosecond, MaxDeliveryCount: 1_000_000})
			spoil(f)
			began := time.Now()
			f.start(t)
			await.That(t, "it was asked three times", func() (bool, error) { return f.grid.Stats().Requests[gridtest.Receive] >= 3, nil })
			if took := time.Since(began); took < 2*minPause {
				t.Errorf("it was asked three times in %s, want at least %s", took, 2*minPause)
			}
		})
	}
}
