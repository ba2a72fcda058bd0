package engine

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/engine/accounts"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

func TestExplain(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want v1alpha1.Reason
	}{
		{"a failure of the vault keeps its reason", &keyvault.Failure{Reason: v1alpha1.ReasonThrottled}, v1alpha1.ReasonThrottled},
		{"bad content", &bundle.Error{Reason: bundle.KeyMismatch}, v1alpha1.ReasonKeyMismatch},
		{"a store that failed", &certstore.Error{Err: errors.New("x")}, v1alpha1.ReasonStoreFailure},
		{"a store that refused", &certstore.Error{Denied: true, Err: errors.New("x")}, v1alpha1.ReasonStoreAccessDenied},
		{"a store that can never do it", &certstore.Error{Unsupported: true, Err: errors.New("x")}, v1alpha1.ReasonUnsupported},
		{"another owner's certificate", &certstore.Conflict{Message: "x"}, v1alpha1.ReasonConflict},
		{"a secret that is not yet valid", &failure.NotYetValid{From: noon, Reason: v1alpha1.ReasonSecretNotYetValid}, v1alpha1.ReasonSecretNotYetValid},
		{"an expired certificate", &failure.Expired{Message: "x"}, v1alpha1.ReasonExpired},
		{"a spec that is not supported", &failure.Unsupported{What: "accounts"}, v1alpha1.ReasonUnsupported},
		{"anything else is a defect of Vaultpane", errors.New("x"), v1alpha1.ReasonInternalError},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err)} {
				if got := failure.Of(err).Reason; got != test.want {
					t.Errorf("%v: got %s, want %s", err, got, test.want)
				}
			}
		})
	}
}

func TestEveryReasonOfABundleIsInTheTable(t *testing.T) {
	for _, reason := range []bundle.Reason{bundle.UnsupportedContentType, bundle.MalformedSecret, bundle.PrivateKeyMissing, bundle.KeyMismatch} {
		if got := v1alpha1.Reason(reason).Info().Reason; got != v1alpha1.Reason(reason) {
			t.Errorf("%s is not in the table of reasons", reason)
		}
	}
}

// rememberFor returns the record of a certificate after an outcome.
func rememberFor(c *v1alpha1.ObservedCertificate, out outcome, now time.Time, random float64) record {
	out.certificate = c
	return remember(out, now, random)
}

func TestRemember(t *testing.T) {
	installed := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Thumbprint: "AA", Version: "v1"}
	nothing := v1alpha1.CertificateEntry{Name: "web", Generation: 3}
	failed := func(reason v1alpha1.Reason) error { return &keyvault.Failure{Reason: reason, Message: "why"} }

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
		{name: "a terminal failure is Failed and has no next attempt", entry: nothing, err: failed(v1alpha1.ReasonVaultNotAllowed),
			state: v1alpha1.StateFailed, reason: v1alpha1.ReasonVaultNotAllowed, terminal: true},
		{name: "a waiting failure is Failed and retried sooner than the interval", entry: installed, err: failed(v1alpha1.ReasonSecretDisabled),
			state: v1alpha1.StateFailed, reason: v1alpha1.ReasonSecretDisabled, next: 30 * time.Second, thumbprint: "AA"},
		{name: "a transient failure is not reported while the certificate is installed", entry: installed, err: failed(v1alpha1.ReasonThrottled),
			next: time.Second, thumbprint: "AA"},
		{name: "it is Pending when it lasts", before: record{poll: pollRecord{generation: 3, attempt: 2}}, entry: installed, err: failed(v1alpha1.ReasonThrottled),
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonThrottled, next: time.Second, thumbprint: "AA"},
		{name: "and at once when nothing is installed", entry: nothing, err: failed(v1alpha1.ReasonVaultUnreachable),
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonVaultUnreachable, next: time.Second},
		{name: "it does not hide a failure that was there before", entry: installed, err: failed(v1alpha1.ReasonThrottled),
			before: record{poll: pollRecord{generation: 3}, entry: v1alpha1.CertificateEntry{Name: "web", State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonSecretDisabled}},
			state:  v1alpha1.StateFailed, reason: v1alpha1.ReasonSecretDisabled, next: time.Second, thumbprint: "AA"},
		{name: "a secret that is not yet valid is Pending until its time", entry: nothing, err: &failure.NotYetValid{From: noon.Add(10 * time.Minute), Reason: v1alpha1.ReasonSecretNotYetValid},
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonSecretNotYetValid, next: 10 * time.Minute},
		{name: "but read again within the interval", entry: nothing, err: &failure.NotYetValid{From: noon.Add(48 * time.Hour), Reason: v1alpha1.ReasonSecretNotYetValid},
			state: v1alpha1.StatePending, reason: v1alpha1.ReasonSecretNotYetValid, next: time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := outcome{task: task{before: test.before}, observation: observation{entry: test.entry}, poll: pollResult{made: true}, err: test.err}
			got := rememberFor(certificate(), out, noon, 0)
			if got.entry.State != test.state || got.entry.Reason != test.reason || got.poll.terminal != test.terminal || got.place.thumbprint != test.thumbprint {
				t.Errorf("got %+v", got)
			}
			if (test.next == 0) != got.poll.nextAttempt.IsZero() || (test.next != 0 && got.poll.nextAttempt.Sub(noon) != test.next) {
				t.Errorf("next attempt in %s, want %s", got.poll.nextAttempt.Sub(noon), test.next)
			}
			if got.poll.generation != 3 {
				t.Errorf("acted on generation %d, want 3", got.poll.generation)
			}
		})
	}
}

// Failures of the polls are reported separately from the state of the certificate.
func TestAFailedPollLeavesAnInstalledCertificateInstalled(t *testing.T) {
	installed := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Thumbprint: "AA", Version: "v1"}
	denied := &keyvault.Failure{Reason: v1alpha1.ReasonAccessDenied, Message: "why"}
	usual := outcome{task: task{before: record{poll: pollRecord{generation: 3}, place: place{generation: 3}}}, observation: observation{entry: installed, valid: true}, poll: pollResult{made: true, asked: true}, err: denied}
	tests := []struct {
		name   string
		change func(*outcome)
		state  v1alpha1.CertificateState
	}{
		{"the vault refuses", func(*outcome) {}, v1alpha1.StateInstalled},
		{"the vault is unreachable for long", func(o *outcome) {
			o.err, o.before.poll.attempt = &keyvault.Failure{Reason: v1alpha1.ReasonVaultUnreachable}, reportedFrom
		}, v1alpha1.StateInstalled},
		{"the agent's allow-list changed", func(o *outcome) { o.err = &keyvault.Failure{Reason: v1alpha1.ReasonVaultNotAllowed} }, v1alpha1.StateInstalled},
		{"nothing is installed", func(o *outcome) { o.entry.Thumbprint = "" }, v1alpha1.StateFailed},
		{"it has expired", func(o *outcome) { o.valid = false }, v1alpha1.StateFailed},
		{"the spec is a newer one", func(o *outcome) { o.before.place.generation = 2 }, v1alpha1.StateFailed},
		{"the spec cannot be acted on", func(o *outcome) { o.poll.asked = false }, v1alpha1.StateFailed},
		{"the vault has a newer version, which cannot be put in place", func(o *outcome) { o.poll.fetched.thumbprint = "BB" }, v1alpha1.StateFailed},
		{"the vault gave a newer version before, which could not be put in place", func(o *outcome) { o.before.poll.fetched.thumbprint = "BB" }, v1alpha1.StateFailed},
		{"what the vault gave last is in place", func(o *outcome) { o.before.poll.fetched.thumbprint = "AA" }, v1alpha1.StateInstalled},
		{"there was a failure before, which may persist", func(o *outcome) {
			o.before.entry = v1alpha1.CertificateEntry{State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonMalformedSecret}
		}, v1alpha1.StateFailed},
		{"an account has no access", func(o *outcome) { o.accountsErr = &accounts.Unknown{} }, v1alpha1.StateFailed},
		{"the vault has a newer version, which cannot be read", func(o *outcome) { o.err = &bundle.Error{Reason: bundle.MalformedSecret} }, v1alpha1.StateFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := usual
			test.change(&out)
			got := rememberFor(certificate(), out, noon, 0).entry
			if got.State != test.state || got.Reason == "" {
				t.Errorf("got state %q with reason %q, want %q with one", got.State, got.Reason, test.state)
			}
		})
	}
}

func TestAnAccountWithoutAccessIsNotHiddenByPollsThatFail(t *testing.T) {
	out := outcome{task: task{before: record{poll: pollRecord{generation: 3, attempt: reportedFrom}, place: place{generation: 3}}}, observation: observation{entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}, valid: true}, poll: pollResult{made: true, asked: true}, err: &keyvault.Failure{Reason: v1alpha1.ReasonThrottled}, accountsErr: &accounts.Unknown{}}
	if got := rememberFor(certificate(), out, noon, 0).entry; got.Reason != v1alpha1.ReasonAccountNotFound || got.State != v1alpha1.StateFailed {
		t.Errorf("got %+v", got)
	}
}

// A time in the past would cause processing without end.
func TestASuspendedCertificateIsNotLookedAtForItsAccounts(t *testing.T) {
	suspended := certificate(func(c *v1alpha1.ObservedCertificate) { c.Spec.Suspend = true })
	before := record{accounts: accountRecord{failures: 2, retry: noon.Add(-time.Minute)}}
	updated := rememberFor(suspended, outcome{task: task{before: before}, observation: observation{entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}}}, noon, 0)
	if due := next("node", outcome{task: task{certificate: suspended, before: before}}, updated); !due.IsZero() {
		t.Errorf("it is looked at again at %s", due)
	}
}

func TestACertificateThatVanishesWhileThePollsFailIsPendingWithTheirReason(t *testing.T) {
	known := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Thumbprint: "AA", Reason: v1alpha1.ReasonThrottled, Message: "why"}
	got := rememberFor(certificate(), outcome{task: task{before: record{poll: pollRecord{generation: 3}, entry: known}}, observation: observation{entry: v1alpha1.CertificateEntry{Name: "web"}}}, noon, 0).entry
	if got.State != v1alpha1.StatePending || got.Reason != v1alpha1.ReasonThrottled || got.Message != "why" {
		t.Errorf("got %+v", got)
	}
}

func TestAFleetDoesNotComeBackInTheMomentThatAllKnow(t *testing.T) {
	from := noon.Add(10 * time.Minute)
	got := rememberFor(certificate(), outcome{poll: pollResult{made: true}, err: &failure.NotYetValid{From: from, Reason: v1alpha1.ReasonNotYetValid}}, noon, 0.5)
	if wait := got.poll.nextAttempt.Sub(from); wait != 30*time.Second {
		t.Errorf("at half of the jitter it comes %s after the moment, want 30s", wait)
	}
}

func TestWithoutAPollAnEntryClaimsOnlyWhatWasActedOn(t *testing.T) {
	out := outcome{task: task{before: record{poll: pollRecord{generation: 2, requestedAt: "earlier"}, entry: v1alpha1.CertificateEntry{Name: "web", Generation: 2, RequestedAt: "earlier", Thumbprint: "AA"}}}, observation: observation{entry: v1alpha1.CertificateEntry{Name: "web", Generation: 3, RequestedAt: "2026-11-23T12:00:00Z", Thumbprint: "AA"}}}
	got := rememberFor(certificate(requested("2026-11-23T12:00:00Z")), out, noon, 0).entry
	if got.Generation != 2 || got.RequestedAt != "earlier" {
		t.Errorf("got generation %d and request %q, want 2 and earlier", got.Generation, got.RequestedAt)
	}
}

func TestARemovedRequestIsForgottenAlsoWhenThePollFails(t *testing.T) {
	out := outcome{
		task:        task{before: record{poll: pollRecord{generation: 3, requestedAt: "earlier"}, entry: v1alpha1.CertificateEntry{Name: "web", Generation: 3, RequestedAt: "earlier", Thumbprint: "AA"}}},
		observation: observation{entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}}, poll: pollResult{made: true}, err: &keyvault.Failure{Reason: v1alpha1.ReasonThrottled},
	}
	if got := rememberFor(certificate(), out, noon, 0); got.entry.RequestedAt != "" || got.poll.requestedAt != "" {
		t.Errorf("it remembers the request %q, and reports %q", got.poll.requestedAt, got.entry.RequestedAt)
	}
}

func TestSuspendIsReportedAndEndsWithAPoll(t *testing.T) {
	suspended := certificate(func(c *v1alpha1.ObservedCertificate) { c.Spec.Suspend = true })
	got := rememberFor(suspended, outcome{observation: observation{entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}}}, noon, 0)
	if got.entry.State != v1alpha1.StateSuspended || got.entry.Thumbprint != "AA" {
		t.Errorf("got %+v, want Suspended with the installed thumbprint", got.entry)
	}
	if decision := decide(got, situation{certificate: certificate(), has: installed{inPlace: true}, now: noon}); !decision.poll {
		t.Errorf("after the suspension no poll is due: %+v", decision)
	}
}

func TestRepairsAreCountedUntilAnHourWithoutOne(t *testing.T) {
	r := repairRecord{}
	for i := range 3 {
		r = r.after(true, noon.Add(time.Duration(i)*time.Minute))
	}
	if r.count != 3 {
		t.Errorf("got %d repairs, want 3", r.count)
	}
	if later := r.after(false, noon.Add(30*time.Minute)); later.count != 3 {
		t.Errorf("after half an hour %d are remembered, want 3", later.count)
	}
	if later := r.after(false, noon.Add(2*time.Hour)); later.count != 0 {
		t.Errorf("after two hours without a repair %d are remembered, want 0", later.count)
	}
}

// The controller knows the programs of a report by their place in the spec, whether they were followed or not.
func TestTheProgramsOfAReportAreThoseOfTheSpec(t *testing.T) {
	rdp, winRM, sql := v1alpha1.Use{RemoteDesktop: &v1alpha1.RemoteDesktopUse{}}, v1alpha1.Use{WinRM: &v1alpha1.WinRMUse{}}, v1alpha1.Use{SQLServer: &v1alpha1.SQLServerUse{Instance: "I"}}
	bound := v1alpha1.UseState{Name: "remoteDesktop", State: v1alpha1.UseBound}
	refused := v1alpha1.UseState{Name: "winRM", State: v1alpha1.UseFailed, Reason: v1alpha1.ReasonUsesAnother, Message: "x"}
	before := record{entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA", Uses: []v1alpha1.UseState{bound, refused}}}
	for name, change := range map[string]func(*v1alpha1.ObservedCertificate, *outcome){
		"suspended":         func(c *v1alpha1.ObservedCertificate, _ *outcome) { c.Spec.Suspend = true },
		"an impossible URL": func(_ *v1alpha1.ObservedCertificate, out *outcome) { *out = out.failed(errors.New("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			certificate := &v1alpha1.ObservedCertificate{}
			certificate.Spec.UsedBy = []v1alpha1.Use{sql, winRM, rdp}
			out := outcome{task: task{before: before, certificate: certificate}}
			change(certificate, &out)
			want := []v1alpha1.UseState{{Name: "sqlServer I", State: v1alpha1.UsePending, Reason: v1alpha1.ReasonPending}, refused, bound}
			if diff := cmp.Diff(want, remember(out, noon, 0).entry.Uses); diff != "" {
				t.Errorf("reported (-want +got):\n%s", diff)
			}
			certificate.Spec.UsedBy = nil
			if got := remember(out, noon, 0).entry.Uses; len(got) > 0 {
				t.Errorf("without usedBy, %v is reported", got)
			}
		})
	}
}
