package versionwatch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func TestTheNewestUsableVersionIsChosen(t *testing.T) {
	version := func(id string, day int, changes ...func(*keyvault.Version)) keyvault.Version {
		v := keyvault.Version{ID: id, Enabled: true, Created: noon.AddDate(0, 0, day-30)}
		for _, change := range changes {
			change(&v)
		}
		return v
	}
	off := func(v *keyvault.Version) { v.Enabled = false }
	from := func(d time.Duration) func(*keyvault.Version) {
		return func(v *keyvault.Version) { v.NotBefore = noon.Add(d) }
	}
	until := func(d time.Duration) func(*keyvault.Version) {
		return func(v *keyvault.Version) { v.Expires = noon.Add(d) }
	}
	tests := []struct {
		name         string
		versions     []keyvault.Version
		version      string
		rollbackFrom string
		changes      time.Duration
		reason       v1alpha1.Reason
		says         string
	}{
		{name: "the one that was created last, in any order", versions: []keyvault.Version{version("b", 3), version("c", 1), version("a", 2)}, version: "b"},
		{name: "not a disabled one", versions: []keyvault.Version{version("a", 1), version("b", 2, off)}, version: "a", rollbackFrom: "b"},
		{name: "nor an expired one", versions: []keyvault.Version{version("a", 1), version("b", 2, until(0))}, version: "a", rollbackFrom: "b"},
		{name: "nor one that is not to be used yet, which is the next one", versions: []keyvault.Version{version("a", 1), version("b", 2, from(time.Hour))}, version: "a", changes: time.Hour},
		{name: "from that time on it is", versions: []keyvault.Version{version("a", 1), version("b", 2, from(0))}, version: "b"},
		{name: "of several disabled ones the newest is named", versions: []keyvault.Version{version("a", 1), version("b", 2, off), version("c", 3, off), version("d", 4, from(time.Hour))}, version: "a", rollbackFrom: "c", changes: time.Hour},
		{name: "a disabled one that is older", versions: []keyvault.Version{version("a", 1, off), version("b", 2)}, version: "b"},
		{name: "the expiry of the current one changes the choice", versions: []keyvault.Version{version("a", 1), version("b", 2, until(time.Minute), from(-time.Hour))}, version: "b", changes: time.Minute},
		{name: "without creation times, by their start", versions: []keyvault.Version{{ID: "x", Enabled: true, NotBefore: noon.Add(-time.Hour)}, {ID: "a", Enabled: true, NotBefore: noon.Add(-time.Minute)}}, version: "a"},
		{name: "none is enabled", versions: []keyvault.Version{version("a", 1, off), version("b", 2, off)}, reason: v1alpha1.ReasonSecretDisabled, says: "none of its 2 versions is enabled and within its dates: the newest, b, is disabled; enable it"},
		{name: "the only one is not to be used yet", versions: []keyvault.Version{version("a", 1, from(time.Minute))}, changes: time.Minute, reason: v1alpha1.ReasonSecretNotYetValid, says: "its only version, a, is not to be used yet"},
		{name: "the only one has expired", versions: []keyvault.Version{version("a", 1, until(-time.Minute))}, reason: v1alpha1.ReasonExpired, says: "renew the certificate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := choose(keyvault.SecretURL{Host: "shop.vault.azure.net", Name: "web"}, test.versions, noon)
			changes := time.Duration(0)
			if !got.changes.IsZero() {
				changes = got.changes.Sub(noon)
			}
			if got.version != test.version || got.rollbackFrom != test.rollbackFrom || changes != test.changes {
				t.Errorf("got %+v, which changes in %s", got, changes)
			}
			var failure *keyvault.Failure
			if errors.As(err, &failure) != (test.reason != "") {
				t.Fatalf("got error %v", err)
			}
			if failure != nil && (failure.Reason != test.reason || !strings.Contains(failure.Message, test.says) || !strings.Contains(failure.Message, `secret "web" in shop.vault.azure.net`)) {
				t.Errorf("got %s: %s", failure.Reason, failure.Message)
			}
		})
	}
}

// The nodes' requests for versions that are published together follow each other, within the vault's limit.
func TestFetchesAreSpreadWithinTheVaultsLimit(t *testing.T) {
	reserved := windows{}
	perSecond := map[int]int{}
	for range 50 { // certificates, on 10,000 nodes
		w := reserved.reserve("shop", 10_000, noon)
		for second := int(w.delay / time.Second); second < int((w.delay+w.spread)/time.Second); second++ {
			perSecond[second] += int(10_000 * time.Second / w.spread)
		}
	}
	for second, requests := range perSecond {
		if requests > 400 {
			t.Errorf("%d requests in second %d", requests, second)
		}
	}
	if got := reserved.reserve("shop", 1, noon.Add(24*time.Hour)); got.delay != 0 {
		t.Errorf("after a day, nodes wait for %s", got.delay)
	}
	if got := reserved.reserve("other", 300, noon); got != (window{spread: time.Second}) {
		t.Errorf("another vault has %+v", got)
	}
}

func TestWhenASecretIsListedNext(t *testing.T) {
	refused := &keyvault.Failure{Reason: v1alpha1.ReasonAccessDenied}
	throttled := &keyvault.Failure{Reason: v1alpha1.ReasonThrottled, RetryAfter: 5 * time.Second}
	fresh := record{secret: keyvault.SecretURL{Host: "shop.vault.azure.net", Name: "web"}, interval: time.Minute, attempted: noon}
	listed := fresh.succeeded(noon, noon, choice{version: "a"})
	if wait := listed.next.Sub(noon); wait <= 0 || wait > 2*time.Minute || listed.failing() || !listed.onSchedule(noon.Add(time.Minute)) {
		t.Errorf("after a list: next in %s, failing %t", wait, listed.failing())
	}
	if soon := fresh.succeeded(noon, noon, choice{version: "a", changes: noon.Add(time.Second)}); soon.due() != noon.Add(leastPause) {
		t.Errorf("a change in a second is due at %s", soon.due())
	}
	if once := listed.failed(refused, noon, 0); !once.failing() || once.onSchedule(noon) || once.next.Sub(noon) != 30*time.Second {
		t.Errorf("after a refusal: failing %t, next in %s", once.failing(), once.next.Sub(noon))
	}
	busy := listed
	for attempt := 1; attempt <= reportedFrom; attempt++ {
		busy = busy.failed(throttled, noon, 0)
		if busy.failing() != (attempt == reportedFrom) || busy.next.Sub(noon) < 5*time.Second {
			t.Errorf("after %d transient failures: failing %t, next in %s", attempt, busy.failing(), busy.next.Sub(noon))
		}
	}
	if listed.onSchedule(noon.Add(4 * time.Minute)) {
		t.Error("a secret that was not listed for four minutes is on schedule")
	}
	looked := listed
	looked.looked = true
	if looked.due() != noon.Add(leastPause) {
		t.Errorf("a look is due at %s", looked.due())
	}
}
