package engine

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func certificate(change ...func(*v1alpha1.ObservedCertificate)) *v1alpha1.ObservedCertificate {
	c := &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "web-uid", Generation: 3, CreationTimestamp: metav1.NewTime(noon.Add(-24 * time.Hour))},
		Spec: v1alpha1.ObservedCertificateSpec{
			URL: "https://v.vault.azure.net/secrets/web", CertificateStoreName: "MY",
			CertificateStoreLocation: v1alpha1.LocalMachine, PollingIntervalInS: 3600,
		},
	}
	for _, one := range change {
		one(c)
	}
	return c
}

func requested(at string) func(*v1alpha1.ObservedCertificate) {
	return func(c *v1alpha1.ObservedCertificate) {
		c.Annotations = map[string]string{v1alpha1.RequestedAtAnnotation: at, "fluxcd.io/touched": "yes"}
	}
}

func TestDecide(t *testing.T) {
	const url = "https://v.vault.azure.net/secrets/web"
	polled := noon.Add(-10 * time.Minute)
	next := schedule.Next("node", url, time.Hour, polled)
	known := record{poll: pollRecord{generation: 3, at: polled}, place: place{thumbprint: "AA"}}
	with := func(r record, change func(*record)) record { change(&r); return r }

	tests := []struct {
		name        string
		known       record
		certificate *v1alpha1.ObservedCertificate
		missing     bool
		now         time.Time
		lastAlive   time.Time
		want        decision
	}{
		{
			name: "a certificate never seen is polled at once", known: record{}, certificate: certificate(), missing: true, now: noon,
			want: decision{poll: true, since: noon.Add(-time.Hour)},
		},
		{
			name: "an answer since the object was made is good enough for a new object", known: record{},
			certificate: certificate(func(c *v1alpha1.ObservedCertificate) {
				c.CreationTimestamp = metav1.NewTime(noon.Add(-time.Second))
			}),
			missing: true, now: noon, want: decision{poll: true, since: noon.Add(-time.Second)},
		},
		{
			name:  "first polls after a start wait for their turn",
			known: record{poll: pollRecord{notBefore: noon.Add(5 * time.Second)}}, certificate: certificate(), missing: true, now: noon,
			want: decision{again: noon.Add(5 * time.Second)},
		},
		{
			name: "all is well: the next look is at the slot", known: known, certificate: certificate(), now: noon.Add(-5 * time.Minute),
			want: pollAt(next, noon.Add(-5*time.Minute)),
		},
		{
			name: "the slot came", known: known, certificate: certificate(), now: next,
			want: decision{poll: true, since: next},
		},
		{
			name: "the clock was set back: the slot of another year is not waited for", known: known, certificate: certificate(),
			now: noon.AddDate(-1, 0, 0), want: decision{poll: true, since: noon.AddDate(-1, 0, 0)},
		},
		{
			name: "the spec changed", known: with(known, func(r *record) { r.poll.generation = 2 }), certificate: certificate(), now: noon,
			want: decision{poll: true, since: noon},
		},
		{
			name: "a poll was requested", known: known, certificate: certificate(requested("2026-11-23T12:00:00Z")), now: noon,
			want: decision{poll: true, since: noon},
		},
		{
			name: "a value that is not a time is not a request", known: known, certificate: certificate(requested("now")), now: polled.Add(time.Second),
			want: decision{again: next},
		},
		{
			name:  "a request is acted on once",
			known: with(known, func(r *record) { r.poll.requestedAt = "2026-11-23T12:00:00Z" }), certificate: certificate(requested("2026-11-23T12:00:00Z")),
			now: polled.Add(time.Second), want: decision{again: next},
		},
		{
			name: "the certificate is gone from the store", known: known, certificate: certificate(), missing: true, now: noon,
			want: decision{poll: true, since: noon},
		},
		{
			name: "one that keeps vanishing is repaired more slowly", missing: true, now: noon, certificate: certificate(),
			known: with(known, func(r *record) { r.repair.count, r.repair.at = 4, noon.Add(-time.Second) }),
			want:  decision{again: noon.Add(time.Minute - time.Second)},
		},
		{
			name: "after a failure the wait is kept, whatever the trigger", missing: true, now: noon, certificate: certificate(),
			known: with(known, func(r *record) { r.poll.nextAttempt = noon.Add(time.Minute) }),
			want:  decision{again: noon.Add(time.Minute)},
		},
		{
			name: "and over at its time", now: noon, certificate: certificate(),
			known: with(known, func(r *record) { r.poll.nextAttempt = noon }), want: decision{poll: true, since: noon},
		},
		{
			name: "a request does not wait for it", now: noon, certificate: certificate(requested("2026-11-23T12:00:00Z")),
			known: with(known, func(r *record) { r.poll.nextAttempt = noon.Add(time.Minute) }),
			want:  decision{poll: true, since: noon},
		},
		{
			name: "a terminal failure waits for the spec", missing: true, now: noon, certificate: certificate(),
			known: with(known, func(r *record) { r.poll.terminal = true }), want: decision{},
		},
		{
			name: "after a restart a missed slot is polled at once", certificate: certificate(), now: next.Add(time.Minute),
			known: with(known, func(r *record) { r.poll.at = time.Time{} }), lastAlive: next.Add(-time.Minute),
			want: decision{poll: true, since: noon.Add(-time.Hour)},
		},
		{
			name: "after a restart without a missed slot the next one counts", certificate: certificate(), now: next.Add(time.Minute),
			known: with(known, func(r *record) { r.poll.at = time.Time{} }), lastAlive: next.Add(10 * time.Second),
			want: decision{again: next.Add(time.Hour)},
		},
		{
			name: "it is unknown when the agent last ran: the first slot since the start counts", certificate: certificate(), now: next.Add(time.Second),
			known: with(known, func(r *record) { r.poll.at = time.Time{} }), want: decision{poll: true, since: noon.Add(-time.Hour)},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := decide(test.known, situation{
				certificate: test.certificate, machine: "node", source: url, has: installed{inPlace: !test.missing},
				now: test.now, started: noon.Add(-time.Hour), lastAlive: test.lastAlive,
			})
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
