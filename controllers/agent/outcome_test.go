package agent

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

func TestExplain(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want v1alpha1.Reason
	}{
		{"a fault of the vault keeps its reason", &keyvault.Failure{Reason: v1alpha1.ReasonThrottled}, v1alpha1.ReasonThrottled},
		{"bad content", &bundle.Error{Reason: bundle.KeyMismatch}, v1alpha1.ReasonKeyMismatch},
		{"a store that failed", &certstore.Error{Err: errors.New("x")}, v1alpha1.ReasonStoreFailure},
		{"a store that refused", &certstore.Error{Denied: true, Err: errors.New("x")}, v1alpha1.ReasonStoreAccessDenied},
		{"a store that can never do it", &certstore.Error{Unsupported: true, Err: errors.New("x")}, v1alpha1.ReasonUnsupported},
		{"somebody else's certificate", &certstore.Conflict{Message: "x"}, v1alpha1.ReasonConflict},
		{"a secret for later", &notYetValid{from: noon, reason: v1alpha1.ReasonSecretNotYetValid}, v1alpha1.ReasonSecretNotYetValid},
		{"a certificate of the past", &expired{"x"}, v1alpha1.ReasonExpired},
		{"a wish beyond us", &unsupportedError{"accounts"}, v1alpha1.ReasonUnsupported},
		{"anything else is our defect", errors.New("x"), v1alpha1.ReasonInternalError},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err)} {
				if got := explain(err).reason; got != test.want {
					t.Errorf("%v: got %s, want %s", err, got, test.want)
				}
			}
		})
	}
}

func TestEveryProblemOfABundleIsAReason(t *testing.T) {
	for _, problem := range []bundle.Reason{bundle.UnsupportedContentType, bundle.MalformedSecret, bundle.PrivateKeyMissing, bundle.KeyMismatch} {
		if got := v1alpha1.Reason(problem).Info().Reason; got != v1alpha1.Reason(problem) {
			t.Errorf("%s is not in the table of reasons", problem)
		}
	}
}

func TestRemember(t *testing.T) {
	installed := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Thumbprint: "AA", Version: "v1"}
	nothing := v1alpha1.CertificateEntry{Name: "web", Generation: 3}
	fault := func(reason v1alpha1.Reason) error { return &keyvault.Failure{Reason: reason, Message: "why"} }

	tests := []struct {
		name       string
		before     record
		entry      v1alpha1.CertificateEntry
		err        error
		state      v1alpha1.CertificateState
		reason     v1alpha1.Reason
		next       time.Duration // 0 for none
		terminal   bool
		thumbprint string
	}{
		{name: "installed", entry: installed, thumbprint: "AA"},
		{name: "a terminal failure is Failed and has no next attempt", entry: nothing, err: fault(v1alpha1.ReasonVaultNotAllowed),
			state: v1alpha1.StateFailed, reason: v1alpha1.ReasonVaultNotAllowed, terminal: true},
		{name: "a waiting failure is Failed and looked at sooner than the interval", entry: installed, err: fault(v1alpha1.ReasonSecretDisabled),
			state: v1alpha1.StateFailed, reason: v1alpha1.ReasonSecretDisabled, next: 30 * time.Second, thumbprint: "AA"},
		{name: "a passing trouble says nothing while the certificate is installed", entry: installed, err: fault(v1alpha1.ReasonThrottled),
			next: time.Second, thumbprint: "AA"},
		{name: "it says Pending when it lasts", before: record{generation: 3, attempt: 2}, entry: installed, err: fault(v1alpha1.ReasonThrottled),
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonThrottled, next: time.Second, thumbprint: "AA"},
		{name: "and at once when nothing is installed", entry: nothing, err: fault(v1alpha1.ReasonVaultUnreachable),
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonVaultUnreachable, next: time.Second},
		{name: "it does not hide a failure that was there before", entry: installed, err: fault(v1alpha1.ReasonThrottled),
			before: record{generation: 3, entry: v1alpha1.CertificateEntry{Name: "web", State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonSecretDisabled}},
			state:  v1alpha1.StateFailed, reason: v1alpha1.ReasonSecretDisabled, next: time.Second, thumbprint: "AA"},
		{name: "a secret for later is Pending until its time", entry: nothing, err: &notYetValid{from: noon.Add(10 * time.Minute), reason: v1alpha1.ReasonSecretNotYetValid},
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonSecretNotYetValid, next: 10 * time.Minute},
		{name: "but looked at within the interval", entry: nothing, err: &notYetValid{from: noon.Add(48 * time.Hour), reason: v1alpha1.ReasonSecretNotYetValid},
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonSecretNotYetValid, next: time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := outcome{remembered: test.before, entry: test.entry, polled: true, err: test.err}
			got := remember(certificate(), out, noon, 0)
			if got.entry.State != test.state || got.entry.Reason != test.reason || got.terminal != test.terminal || got.thumbprint != test.thumbprint {
				t.Errorf("got %+v", got)
			}
			if (test.next == 0) != got.nextAttempt.IsZero() || (test.next != 0 && got.nextAttempt.Sub(noon) != test.next) {
				t.Errorf("next attempt in %s, want %s", got.nextAttempt.Sub(noon), test.next)
			}
			if got.generation != 3 {
				t.Errorf("acted on generation %d, want 3", got.generation)
			}
		})
	}
}

// What the polls fail with is told apart from what the node has.
func TestAFailedPollLeavesAnInstalledCertificateInstalled(t *testing.T) {
	installed := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Thumbprint: "AA", Version: "v1"}
	denied := &keyvault.Failure{Reason: v1alpha1.ReasonAccessDenied, Message: "why"}
	usual := outcome{remembered: record{generation: 3, installed: 3}, entry: installed, polled: true, asked: true, valid: true, err: denied}
	tests := []struct {
		name   string
		change func(*outcome)
		state  v1alpha1.CertificateState
	}{
		{"the vault refuses", func(*outcome) {}, v1alpha1.StateInstalled},
		{"the vault is away for long", func(o *outcome) {
			o.err, o.remembered.attempt = &keyvault.Failure{Reason: v1alpha1.ReasonVaultUnreachable}, lasting
		}, v1alpha1.StateInstalled},
		{"the agent's allow-list changed", func(o *outcome) { o.err = &keyvault.Failure{Reason: v1alpha1.ReasonVaultNotAllowed} }, v1alpha1.StateInstalled},
		{"nothing is installed", func(o *outcome) { o.entry.Thumbprint = "" }, v1alpha1.StateFailed},
		{"it has expired", func(o *outcome) { o.valid = false }, v1alpha1.StateFailed},
		{"the spec is a newer one", func(o *outcome) { o.remembered.installed = 2 }, v1alpha1.StateFailed},
		{"the spec cannot be acted on", func(o *outcome) { o.asked = false }, v1alpha1.StateFailed},
		{"the vault has a newer version, which cannot be put in place", func(o *outcome) { o.fetched = "BB" }, v1alpha1.StateFailed},
		{"the vault gave a newer version before, which could not be put in place", func(o *outcome) { o.remembered.fetched = "BB" }, v1alpha1.StateFailed},
		{"what the vault gave last is in place", func(o *outcome) { o.remembered.fetched = "AA" }, v1alpha1.StateInstalled},
		{"something was wrong before, and still may be", func(o *outcome) {
			o.remembered.entry = v1alpha1.CertificateEntry{State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonMalformedSecret}
		}, v1alpha1.StateFailed},
		{"an account has no access", func(o *outcome) { o.problem = &accountsError{names: []string{"x"}} }, v1alpha1.StateFailed},
		{"the vault has a newer version, which cannot be read", func(o *outcome) { o.err = &bundle.Error{Reason: bundle.MalformedSecret} }, v1alpha1.StateFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := usual
			test.change(&out)
			got := remember(certificate(), out, noon, 0).entry
			if got.State != test.state || got.Reason == "" {
				t.Errorf("got state %q with reason %q, want %q with one", got.State, got.Reason, test.state)
			}
		})
	}
}

func TestAnAccountWithoutAccessIsNotHiddenByPollsThatFail(t *testing.T) {
	out := outcome{
		remembered: record{generation: 3, installed: 3, attempt: lasting}, entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}, polled: true,
		asked: true, valid: true, err: &keyvault.Failure{Reason: v1alpha1.ReasonThrottled}, problem: &accountsError{names: []string{"x"}},
	}
	if got := remember(certificate(), out, noon, 0).entry; got.Reason != v1alpha1.ReasonAccountNotFound || got.State != v1alpha1.StateFailed {
		t.Errorf("got %+v", got)
	}
}

// A look that is asked for in the past is a look at once, and the next one too.
func TestASuspendedCertificateIsNotLookedAtForItsAccounts(t *testing.T) {
	suspended := certificate(func(c *v1alpha1.ObservedCertificate) { c.Spec.Suspend = true })
	before := record{complaints: 2, lookAt: noon.Add(-time.Minute)}
	updated := remember(suspended, outcome{remembered: before, entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}}, noon, 0)
	if due := (&Reconciler{}).again(suspended, outcome{remembered: before}, updated); !due.IsZero() {
		t.Errorf("it is looked at again at %s", due)
	}
}

func TestACertificateThatVanishesWhileThePollsFailIsPendingWithTheirReason(t *testing.T) {
	known := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Thumbprint: "AA", Reason: v1alpha1.ReasonThrottled, Message: "why"}
	got := remember(certificate(), outcome{remembered: record{generation: 3, entry: known}, entry: v1alpha1.CertificateEntry{Name: "web"}}, noon, 0).entry
	if got.State != v1alpha1.StatePending || got.Reason != v1alpha1.ReasonThrottled || got.Message != "why" {
		t.Errorf("got %+v", got)
	}
}

func TestAFleetDoesNotComeBackInTheMomentThatAllKnow(t *testing.T) {
	from := noon.Add(10 * time.Minute)
	got := remember(certificate(), outcome{polled: true, err: &notYetValid{from: from, reason: v1alpha1.ReasonNotYetValid}}, noon, 0.5)
	if wait := got.nextAttempt.Sub(from); wait != 30*time.Second {
		t.Errorf("at half of the jitter it comes %s after the moment, want 30s", wait)
	}
}

func TestWithoutAPollAnEntryClaimsOnlyWhatWasActedOn(t *testing.T) {
	out := outcome{
		remembered: record{generation: 2, requestedAt: "earlier", entry: v1alpha1.CertificateEntry{Name: "web", Generation: 2, RequestedAt: "earlier", Thumbprint: "AA"}},
		entry:      v1alpha1.CertificateEntry{Name: "web", Generation: 3, RequestedAt: "2026-11-23T12:00:00Z", Thumbprint: "AA"},
	}
	got := remember(certificate(requested("2026-11-23T12:00:00Z")), out, noon, 0).entry
	if got.Generation != 2 || got.RequestedAt != "earlier" {
		t.Errorf("got generation %d and request %q, want 2 and earlier", got.Generation, got.RequestedAt)
	}
}

func TestSuspendIsReportedAndEndsWithAPoll(t *testing.T) {
	suspended := certificate(func(c *v1alpha1.ObservedCertificate) { c.Spec.Suspend = true })
	got := remember(suspended, outcome{entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}}, noon, 0)
	if got.entry.State != v1alpha1.StateSuspended || got.entry.Thumbprint != "AA" {
		t.Errorf("got %+v, want Suspended with the installed thumbprint", got.entry)
	}
	if verdict := decide(got, moment{certificate: certificate(), inPlace: true, now: noon}); !verdict.poll {
		t.Errorf("after the suspension no poll is due: %+v", verdict)
	}
}

func TestRepairsAreCountedUntilAnHourOfPeace(t *testing.T) {
	r := record{}
	for i := range 3 {
		r.repairs, r.repairedAt = countRepairs(outcome{remembered: r, repaired: true}, noon.Add(time.Duration(i)*time.Minute))
	}
	if r.repairs != 3 {
		t.Errorf("got %d repairs, want 3", r.repairs)
	}
	if repairs, _ := countRepairs(outcome{remembered: r}, noon.Add(30*time.Minute)); repairs != 3 {
		t.Errorf("after half an hour %d are remembered, want 3", repairs)
	}
	if repairs, _ := countRepairs(outcome{remembered: r}, noon.Add(2*time.Hour)); repairs != 0 {
		t.Errorf("after two hours of peace %d are remembered, want 0", repairs)
	}
}
