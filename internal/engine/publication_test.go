package engine

import (
	"crypto/x509"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

func TestWhatAMachineAsksTheVaultFor(t *testing.T) {
	now := noon
	year := func(created int64, version string) installed {
		return installed{inPlace: true, version: version, created: created, notBefore: now.AddDate(0, -11, 0), notAfter: now.AddDate(0, 1, 0)}
	}
	old := year(10, "old")
	missing, expired := installed{}, old
	expired.notAfter = now.Add(-time.Second)
	fresh := Publication{Version: "new", Created: 20, Fresh: true}
	stale, back, turn := fresh, fresh, fresh
	stale.Fresh = false
	back.Version, back.Created, back.RollbackFrom = "older", 5, "old"
	staleBack := back
	staleBack.Fresh = false
	turn.Turn = &Turn{Remaining: time.Hour}
	come := turn
	come.Turn = &Turn{Come: true}
	staleCome, expires := stale, year(20, "new")
	staleCome.Turn, expires.notAfter = &Turn{Come: true}, now.Add(time.Hour)
	waveBack, waveStaleBack := back, staleBack
	waveBack.Turn, waveStaleBack.Turn = &Turn{}, &Turn{}
	comeStaleBack := staleBack
	comeStaleBack.Turn = &Turn{Come: true}
	tests := []struct {
		name      string
		published Publication
		has       installed
		requested bool
		first     string
		otherwise string
		fetches   bool // at once, without a slot
		skips     bool // a slot
	}{
		{name: "without a version watch, the newest", has: old},
		{name: "a published version", published: fresh, has: old, first: "new", fetches: true},
		{name: "the one that it has", published: fresh, has: year(20, "new"), first: "new", skips: true},
		{name: "one that it polled before it was published", published: fresh, has: year(30, "newest")},
		{name: "on request the newest, and where that is disabled the published one", published: fresh, has: old, requested: true, otherwise: "new", fetches: true},
		{name: "while the watch is stale, the newest, and where that is disabled the published one", published: stale, has: old, otherwise: "new"},
		{name: "but nothing older than what it has, which it polled since", published: stale, has: year(30, "newest")},
		{name: "nor what may be older", published: stale, has: year(0, "unmarked")},
		{name: "a stale roll-back of the version that it has", published: staleBack, has: old, otherwise: "older"},
		{name: "a stale roll-back of another version", published: staleBack, has: year(30, "newest")},
		{name: "a stale publication of the one that it has", published: stale, has: year(20, "new"), otherwise: "new"},
		{name: "nothing is installed while the watch is stale", published: stale, has: missing, otherwise: "new"},
		{name: "nothing is installed", published: fresh, has: missing, first: "new", fetches: true},
		{name: "a roll-back", published: back, has: old, first: "older", fetches: true},
		{name: "a wave that has not come keeps what it has", published: turn, has: old, first: "old", skips: true},
		{name: "also on request", published: turn, has: old, requested: true, first: "old", skips: true},
		{name: "but not an expired certificate", published: turn, has: expired, first: "new", fetches: true},
		{name: "nor a missing one", published: turn, has: missing, first: "new", fetches: true},
		{name: "a wave that has come", published: come, has: old, first: "new", fetches: true},
		{name: "in which a request gets no version that had no first wave", published: come, has: year(20, "new"), requested: true, first: "new", skips: true},
		{name: "also while the watch is stale", published: staleCome, has: old, first: "new"},
		{name: "which keeps what it has then", published: staleCome, has: year(20, "new"), first: "new"},
		{name: "until that is about to expire, as no wave of a newer one starts", published: staleCome, has: expires, otherwise: "new"},
		{name: "and does not go back from the newer one", published: staleCome, has: year(30, "newest"), first: "newest"},
		{name: "a roll-back of what it has waits for no wave", published: waveBack, has: old, first: "older", fetches: true},
		{name: "nor of one in between", published: waveBack, has: year(7, "between"), first: "older", fetches: true},
		{name: "but a machine with an older version waits, as nothing is rolled back there", published: waveBack, has: year(3, "oldest"), first: "oldest", skips: true},
		{name: "while the watch is stale, what replaces it", published: waveStaleBack, has: old, first: "older"},
		{name: "and nothing for what may have been created since", published: waveStaleBack, has: year(30, "newest"), first: "newest"},
		{name: "also in a wave that has come", published: comeStaleBack, has: year(30, "newest"), first: "newest"},
		{name: "waves without a version watch keep what the machine has", published: Publication{Turn: &Turn{}}, has: old, first: "old"},
		{name: "but install one", published: Publication{Turn: &Turn{}}, has: missing},
		{name: "and replace one that expires", published: Publication{Turn: &Turn{}}, has: expired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			first, otherwise := test.published.versionsToAsk(test.has, test.requested, now)
			fetches, skips := test.published.Fresh && test.published.supersedes(test.has, now), test.published.confirms(test.has, now)
			if first != test.first || otherwise != test.otherwise || fetches != test.fetches || skips != test.skips {
				t.Errorf("got first %q, otherwise %q, fetches %t, skips %t", first, otherwise, fetches, skips)
			}
		})
	}
}

// Whatever the waves are, a machine asks for another version before the one that it has expires, and wakes up for it.
func TestNoMachineWaitsForItsWaveUntilItsCertificateExpires(t *testing.T) {
	for range 100_000 {
		lifetime := 10*time.Minute + rand.N(2*365*24*time.Hour)
		if rand.N(2) == 0 {
			lifetime = 10*time.Minute + rand.N(3*time.Hour)
		}
		has := installed{inPlace: true, version: "old", created: 1, notBefore: noon, notAfter: noon.Add(lifetime)}
		published := Publication{Version: "new", Created: 2, Fresh: rand.N(2) == 0, Turn: &Turn{Remaining: rand.N(10 * 720 * time.Hour)}}
		now := noon.Add(rand.N(lifetime))
		again := published.lookAgain(has, now)
		switch {
		case !published.waits(has, now):
			if !published.supersedes(has, now) {
				t.Fatalf("at %s it neither waits nor fetches: %+v, %+v", now, published, has)
			}
		case again.IsZero() || !again.Before(has.notAfter):
			t.Fatalf("at %s it looks again at %s, and its certificate expires at %s", now, again, has.notAfter)
		case published.waits(has, again):
			t.Fatalf("at %s it still waits when it looks again at %s: %+v", now, again, published)
		}
	}
}

func TestASightingLastsUntilSomethingChanges(t *testing.T) {
	seen := sighting{}.note(Publication{Version: "a"}, noon)
	if got := seen.note(Publication{Version: "a"}, noon.Add(time.Hour)); got != seen {
		t.Errorf("got %v, want %v", got, seen)
	}
	for name, other := range map[string]Publication{
		"another version":   {Version: "b"},
		"a wave that waits": {Version: "a", Turn: &Turn{}},
	} {
		if got := seen.note(other, noon.Add(time.Hour)); !got.at.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// A publication is fetched after the machine's wait, once, and again only when the last attempt did not fail for the same version.
func TestWhenAPublicationIsFetched(t *testing.T) {
	web := observed("web")
	has := installed{inPlace: true, version: "old", created: 10, notBefore: noon.AddDate(-1, 0, 0), notAfter: noon.AddDate(1, 0, 0)}
	published := Publication{Version: "new", Created: 20, Fresh: true, Wait: 5 * time.Second}
	acted := record{poll: pollRecord{generation: web.Generation, at: noon.Add(-time.Second), seen: sighting{version: "new", come: true, at: noon}}}
	failing, stale, expired, ahead := acted, published, has, acted
	failing.poll.nextAttempt, failing.poll.target = noon.Add(time.Minute), "new"
	stale.Fresh = false
	expired.notAfter = noon
	ahead.poll.seen.at = noon.Add(24 * time.Hour)
	another, back, long := failing, failing, published
	another.poll.target, back.poll.target = "before", "newer"
	failing.poll.attempt, another.poll.attempt, back.poll.attempt = 1, 1, 1
	before := back
	before.poll.target = ""
	waiting := published
	waiting.Turn = &Turn{}
	long.Wait = 48 * time.Hour
	had := has
	had.version, had.created = published.Version, published.Created
	tests := []struct {
		name      string
		known     record
		published Publication
		has       installed
		after     time.Duration
		polls     bool
	}{
		{"not before its time", acted, published, has, 4 * time.Second, false},
		{"then it is", acted, published, has, 5 * time.Second, true},
		{"at once where the certificate has expired", acted, published, expired, time.Second, true},
		{"at once where the clock was set back", ahead, published, has, 0, true},
		{"not while the watch is stale", acted, stale, has, time.Minute, false},
		{"after a failure, at its next attempt", failing, published, has, 6 * time.Second, false},
		{"then it is again", failing, published, has, time.Minute, true},
		{"after a failure of another version", another, published, has, 5 * time.Second, true},
		{"also where that was rolled back to what it has", back, published, had, 5 * time.Second, true},
		{"also where nothing was published yet when it failed, as right after a change of the spec", before, published, had, 5 * time.Second, true},
		{"but not for its wave, whose version it does not ask for", before, waiting, had, 5 * time.Second, false},
		{"by its next slot where its time is later", acted, long, has, time.Hour, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := decide(test.known, situation{
				certificate: web, machine: "node", source: "u", has: test.has, published: test.published, now: noon.Add(test.after), started: noon, lastAlive: noon,
			})
			if got.poll != test.polls {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A version that was fetched before is fetched again after a roll-back to it, unless it failed.
func TestOnlyAFailedAttemptIsRemembered(t *testing.T) {
	web := observed("web")
	out := outcome{source: "u", poll: pollResult{made: true, asked: true, target: "v1"}}
	out.entry.Thumbprint, out.valid = "AA", true
	if got := rememberFor(web, out, noon, 0).poll.target; got != "" {
		t.Errorf("after a success, got %q", got)
	}
	out.err = &keyvault.Failure{Reason: v1alpha1.ReasonAccessDenied}
	if got := rememberFor(web, out, noon, 0).poll.target; got != "v1" {
		t.Errorf("after a failure, got %q", got)
	}
}

func TestWavesNeedACluster(t *testing.T) {
	web := observed("web", func(c *v1alpha1.ObservedCertificate) {
		c.Spec.Rollout = &v1alpha1.Rollout{Waves: make([]v1alpha1.Wave, 1)}
	})
	_, err := newEngine(t, web).desired(task{certificate: web, ref: storeRef(web.Spec)})
	if found := failure.Of(err); found.Reason != v1alpha1.ReasonUnsupported || !strings.Contains(found.Message, "rollout, whose waves a cluster's controller starts") {
		t.Errorf("got %v", err)
	}
}

// A machine polls when it stops waiting for its wave, also while nothing is published: the next slot may be after the expiry.
func TestAMachineThatStopsWaitingPollsAtOnce(t *testing.T) {
	web := observed("web")
	web.Spec.PollingIntervalInS = 86400
	has := installed{inPlace: true, version: "old", created: 10, notBefore: noon, notAfter: noon.Add(10 * time.Hour)}
	known := record{poll: pollRecord{generation: web.Generation, at: noon}}
	published := Publication{Turn: &Turn{}}
	deadline, machine := published.lookAgain(has, noon), "node"
	for schedule.Slot(machine, "u", 24*time.Hour, noon).Before(has.notAfter) {
		machine += "0"
	}
	at := func(now time.Time) decision {
		return decide(known, situation{certificate: web, machine: machine, source: "u", has: has, published: published, now: now, started: noon, lastAlive: noon})
	}
	if at(deadline.Add(-time.Second)).poll {
		t.Error("it polls before its deadline")
	}
	if !at(deadline).poll {
		t.Error("it does not poll at its deadline")
	}
	known.poll.at = deadline
	if at(deadline.Add(time.Second)).poll {
		t.Error("it polls twice")
	}
}

// A certificate that another tool installed has no mark. Without the creation time of its version, a node that polled it before it was
// published would go back to the published one.
func TestACertificateWithoutAMarkIsAsOldAsTheVaultSaid(t *testing.T) {
	seen := observation{held: &certstore.Entry{Certificate: &x509.Certificate{}}}
	seen.entry.Version = "newest"
	for version, want := range map[string]int64{"newest": 30, "another": 0} {
		if got := installedOf(seen, true, "", vaultVersion{version: version, created: 30}).created; got != want {
			t.Errorf("with version %q: got %d, want %d", version, got, want)
		}
	}
}
