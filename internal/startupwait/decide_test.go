package startupwait

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// required returns an ObservedCertificate that nodes wait for, of generation 3.
func required(name string, changes ...func(*v1alpha1.ObservedCertificate)) v1alpha1.ObservedCertificate {
	certificate := v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 3}}
	certificate.Spec.RequireInitialSync = true
	for _, change := range changes {
		change(&certificate)
	}
	return certificate
}

func forPool(pool string) func(*v1alpha1.ObservedCertificate) {
	return func(c *v1alpha1.ObservedCertificate) {
		c.Spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": v1alpha1.LabelValue(pool)}}
	}
}

func optional(c *v1alpha1.ObservedCertificate) { c.Spec.RequireInitialSync = false }

func ending(c *v1alpha1.ObservedCertificate) { c.DeletionTimestamp = &metav1.Time{Time: time.Now()} }

func installedAs(name string, generation int64) v1alpha1.CertificateEntry {
	return v1alpha1.CertificateEntry{Name: name, Generation: generation, Thumbprint: "AB01"}
}

func with(entry v1alpha1.CertificateEntry, state v1alpha1.CertificateState, reason v1alpha1.Reason, message string) v1alpha1.CertificateEntry {
	entry.State, entry.Reason, entry.Message = state, reason, message
	return entry
}

func missingFor(name string, state v1alpha1.CertificateState, reason v1alpha1.Reason, message string) Missing {
	return Missing{Name: name, State: state, Reason: reason, Message: message}
}

func TestDecide(t *testing.T) {
	const (
		pending   = v1alpha1.StatePending
		failed    = v1alpha1.StateFailed
		suspended = v1alpha1.StateSuspended
		absent    = "it is not in the store, and spec.suspend prevents its installation: unset spec.suspend, or set spec.requireInitialSync to false to release the node without it"
	)
	absentWeb := v1alpha1.CertificateEntry{Name: "web", Generation: 3}
	tests := []struct {
		name         string
		nodeUID      string // of the report, empty for no report
		report       []v1alpha1.CertificateEntry
		certificates []v1alpha1.ObservedCertificate
		want         Wait
	}{
		{"no report yet", "", nil, nil, Wait{NoReport: true}},
		{"the report of an earlier node of that name", "earlier", []v1alpha1.CertificateEntry{installedAs("web", 3)}, []v1alpha1.ObservedCertificate{required("web")}, Wait{NoReport: true}},
		{"a report, and nothing is required", "node", nil, nil, Wait{}},
		{"a certificate that does not require it has failed", "node", []v1alpha1.CertificateEntry{with(absentWeb, failed, "AccessDenied", "x")}, []v1alpha1.ObservedCertificate{required("web", optional)}, Wait{}},
		{"all are installed", "node", []v1alpha1.CertificateEntry{installedAs("api", 3), installedAs("web", 3)}, []v1alpha1.ObservedCertificate{required("web"), required("api")}, Wait{}},
		{"one is not reported", "node", []v1alpha1.CertificateEntry{installedAs("web", 3)}, []v1alpha1.ObservedCertificate{required("api"), required("web")},
			Wait{Certificates: []Missing{missingFor("api", pending, "Pending", "the node has not reported it yet")}}},
		{"one is reported and not installed", "node", []v1alpha1.CertificateEntry{absentWeb}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", pending, "Pending", "it is not in the store yet")}}},
		{"the spec has changed since", "node", []v1alpha1.CertificateEntry{installedAs("web", 2)}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", pending, "Pending", "the node has not processed generation 3 of the spec yet; it reports generation 2")}}},
		{"the cache is behind the report", "node", []v1alpha1.CertificateEntry{installedAs("web", 4)}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", pending, "Pending", "the node has not processed generation 3 of the spec yet; it reports generation 4")}}},
		{"a certificate with an unknown account is not ready", "node", []v1alpha1.CertificateEntry{with(installedAs("web", 3), failed, "AccountNotFound", "no CORP\\web$")}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", failed, "AccountNotFound", "no CORP\\web$")}}},
		{"an older version that could not be renewed is not ready", "node", []v1alpha1.CertificateEntry{with(installedAs("web", 3), pending, "Throttled", "429")}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", pending, "Throttled", "429")}}},
		{"its polls fail while it is installed", "node", []v1alpha1.CertificateEntry{with(installedAs("web", 3), "", "Throttled", "429")}, []v1alpha1.ObservedCertificate{required("web")}, Wait{}},
		{"its polls fail, and it was installed for an older spec", "node", []v1alpha1.CertificateEntry{with(installedAs("web", 2), "", "Throttled", "429")}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", pending, "Pending", "the node has not processed generation 3 of the spec yet; it reports generation 2")}}},
		{"its link was declined", "node", []v1alpha1.CertificateEntry{with(installedAs("web", 3), "", "LinkDeclined", "a name is missing")}, []v1alpha1.ObservedCertificate{required("web")}, Wait{}},
		{"it is in the store and not valid yet", "node", []v1alpha1.CertificateEntry{with(installedAs("web", 3), pending, "NotYetValid", "valid from tomorrow")}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", pending, "NotYetValid", "valid from tomorrow")}}},
		{"failed certificates come first, then they are sorted by name", "node", []v1alpha1.CertificateEntry{with(v1alpha1.CertificateEntry{Name: "c", Generation: 3}, failed, "AccessDenied", "403")},
			[]v1alpha1.ObservedCertificate{required("b"), required("a"), required("c")},
			Wait{Certificates: []Missing{
				missingFor("c", failed, "AccessDenied", "403"),
				missingFor("a", pending, "Pending", "the node has not reported it yet"),
				missingFor("b", pending, "Pending", "the node has not reported it yet"),
			}}},
		{"it targets other nodes", "node", nil, []v1alpha1.ObservedCertificate{required("web", forPool("sql"))}, Wait{}},
		{"it targets this node", "node", nil, []v1alpha1.ObservedCertificate{required("web", forPool("web"))},
			Wait{Certificates: []Missing{missingFor("web", pending, "Pending", "the node has not reported it yet")}}},
		{"it is being deleted", "node", nil, []v1alpha1.ObservedCertificate{required("web", ending)}, Wait{}},
		{"suspended after its installation", "node", []v1alpha1.CertificateEntry{with(installedAs("web", 3), suspended, "Suspended", "")}, []v1alpha1.ObservedCertificate{required("web")}, Wait{}},
		{"suspended before its installation", "node", []v1alpha1.CertificateEntry{with(absentWeb, suspended, "Suspended", "")}, []v1alpha1.ObservedCertificate{required("web")},
			Wait{Certificates: []Missing{missingFor("web", suspended, "Suspended", absent)}}},
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "node", Labels: map[string]string{"pool": "web"}}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var state *v1alpha1.NodeCertificateState
			if test.nodeUID != "" {
				state = &v1alpha1.NodeCertificateState{NodeUID: test.nodeUID, Certificates: test.report}
			}
			got := Decide(node, state, time.Time{}, test.certificates)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("wait (-want +got):\n%s", diff)
			}
		})
	}
}

// The last report of an agent that cannot write its report says that the certificate is installed.
func TestAnOutdatedReportDoesNotReleaseANode(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "node"}}
	state := &v1alpha1.NodeCertificateState{NodeUID: "node", Certificates: []v1alpha1.CertificateEntry{installedAs("web", 3)}}
	since := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	waiting := Decide(node, state, since, []v1alpha1.ObservedCertificate{required("web")})
	if waiting.Done() || !waiting.NeedsAction() || !waiting.NoReport {
		t.Errorf("it waits for %+v", waiting)
	}
	for _, text := range []string{"2026-06-01T12:00:00Z", "its log", "NodeCertificateStates"} {
		if !strings.Contains(waiting.String(), text) {
			t.Errorf("got %q, want %q in it", waiting.String(), text)
		}
	}
}

func TestACertificateThatTheReportOmits(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "node"}}
	state := &v1alpha1.NodeCertificateState{NodeUID: "node", Omitted: &v1alpha1.Omitted{Certificates: 7}}
	waiting := Decide(node, state, time.Time{}, []v1alpha1.ObservedCertificate{required("web")})
	if text := waiting.String(); !strings.Contains(text, "omits 7 certificates") {
		t.Errorf("got %q", text)
	}
}

func TestTheDescriptionOfAWait(t *testing.T) {
	many := Wait{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		many.Certificates = append(many.Certificates, missingFor(name, v1alpha1.StateFailed, "AccessDenied", strings.Repeat("x", 300)))
	}
	tests := []struct {
		name    string
		waiting Wait
		failed  bool
		want    []string
	}{
		{"the agent", Wait{NoReport: true}, false, []string{"first report of this node's agent"}},
		{"a node on which no agent runs", Wait{NoReport: true, NoAgent: true}, true, []string{"no agent runs on nodes with these labels"}},
		{"one certificate", Wait{Certificates: []Missing{missingFor("web", v1alpha1.StatePending, "Throttled", "429 from shop")}}, false,
			[]string{"ObservedCertificate web (Throttled: 429 from shop)"}},
		{"more certificates than an event names", many, true, []string{"ObservedCertificate a (AccessDenied: xxx", "and 2 more"}},
		{"the API server", Wait{Refused: "denied by a webhook"}, true, []string{"denied by a webhook"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, want := range test.want {
				if got := test.waiting.String(); !strings.Contains(got, want) {
					t.Errorf("got %q, want %q in it", got, want)
				}
			}
			if test.waiting.NeedsAction() != test.failed {
				t.Errorf("NeedsAction is %v, want %v", test.waiting.NeedsAction(), test.failed)
			}
		})
	}
	if note := truncate.Cut(many.String(), truncate.EventNote); len(note) > 1024 || !strings.HasSuffix(note, "...") {
		t.Errorf("the note has %d bytes and ends in %q", len(note), note[len(note)-5:])
	}
}
