package poll

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/status"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const (
	earlier   = "2026-11-29T11:00:00.000Z"
	requested = "2026-11-29T12:00:00.000Z"
	later     = "2026-11-29T13:00:00.000Z"
	version   = "5bbe093aa85df6a9d4924a1e20dda479"
)

// observed is a certificate that this many nodes should have.
func observed(matched int32, failures ...v1alpha1.NodeFailure) *v1alpha1.ObservedCertificate {
	return &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: 2, Annotations: map[string]string{v1alpha1.RequestedAtAnnotation: requested}},
		Status:     v1alpha1.ObservedCertificateStatus{ObservedGeneration: 2, Nodes: &v1alpha1.NodeCounts{Matched: matched}, Failures: failures},
	}
}

// entries are nodes that acted on these requests.
func entries(acted map[string]string, change func(node string, entry *v1alpha1.CertificateEntry)) map[string]status.Reported {
	nodes := map[string]status.Reported{"linux": {}}
	for node, at := range acted {
		entry := v1alpha1.CertificateEntry{Name: "web", Generation: 2, Version: version, RequestedAt: at}
		if change != nil {
			change(node, &entry)
		}
		nodes[node] = status.Reported{Certificates: map[string]v1alpha1.CertificateEntry{"web": entry}}
	}
	return nodes
}

func node(name string) v1alpha1.NodeFailure { return v1alpha1.NodeFailure{Node: name} }

var lost = v1alpha1.NodeFailure{Node: "c", Reason: v1alpha1.ReasonAgentNotReporting, Message: "it has not renewed its Lease"}

func TestProgress(t *testing.T) {
	denied := v1alpha1.NodeFailure{Node: "b", Reason: v1alpha1.ReasonAccessDenied, Message: "denied"}
	suspended, changed, other := observed(2), observed(5), observed(2)
	suspended.Spec.Suspend = true
	changed.Generation = 3
	other.Annotations[v1alpha1.RequestedAtAnnotation] = earlier // by a person whose clock is behind
	for _, test := range []struct {
		name            string
		c               *v1alpha1.ObservedCertificate
		nodes           map[string]status.Reported
		want            Progress
		done, succeeded bool
	}{
		{"deleted", nil, nil, Progress{Gone: true}, true, false},
		{"no node is selected", observed(0), nil, Progress{}, false, false},
		{"none has answered", observed(2), entries(map[string]string{"a": "", "b": earlier}, nil), Progress{Nodes: 2, Silent: []v1alpha1.NodeFailure{node("a"), node("b")}}, false, false},
		{"one has answered", observed(2), entries(map[string]string{"a": requested, "b": earlier}, nil), Progress{Nodes: 2, Answered: 1, Silent: []v1alpha1.NodeFailure{node("b")}, Versions: map[string]int{version: 1}}, false, false},
		{"all have, one to a later request", observed(2), entries(map[string]string{"a": requested, "b": later}, nil), Progress{Nodes: 2, Answered: 2, Versions: map[string]int{version: 2}}, true, true},
		{"all have, one to another person's request", other, entries(map[string]string{"a": requested, "b": earlier}, nil), Progress{Nodes: 2, Answered: 2, Versions: map[string]int{version: 2}}, true, true},
		{"one has with a failure", observed(2), entries(map[string]string{"a": requested, "b": requested}, func(node string, entry *v1alpha1.CertificateEntry) {
			if node == "b" {
				entry.Version, entry.State, entry.Reason, entry.Message = "", v1alpha1.StateFailed, denied.Reason, denied.Message
			}
		}), Progress{Nodes: 2, Answered: 2, Failures: []v1alpha1.NodeFailure{denied}, Versions: map[string]int{version: 1}}, true, false},
		{"a declined link is no failure", observed(1), entries(map[string]string{"a": requested}, func(_ string, entry *v1alpha1.CertificateEntry) { entry.Reason = v1alpha1.ReasonLinkDeclined }), Progress{Nodes: 1, Answered: 1, Versions: map[string]int{version: 1}}, true, true},
		{"an answer to an older spec is none", observed(1), entries(map[string]string{"a": requested}, func(_ string, entry *v1alpha1.CertificateEntry) { entry.Generation = 1 }), Progress{Nodes: 1, Silent: []v1alpha1.NodeFailure{node("a")}}, false, false},
		{"nodes that never reported", observed(4, lost), entries(map[string]string{"a": requested}, nil), Progress{Nodes: 4, Answered: 1, Silent: []v1alpha1.NodeFailure{lost}, Unreported: 2, Versions: map[string]int{version: 1}}, false, false},
		{"an agent that stopped reporting", observed(1, lost), entries(map[string]string{"c": earlier}, nil), Progress{Nodes: 1, Silent: []v1alpha1.NodeFailure{lost}}, false, false},
		{"the controller's count is of an older spec", changed, nil, Progress{}, false, false},
		{"suspended meanwhile", suspended, entries(map[string]string{"a": ""}, nil), Progress{Suspended: true, Nodes: 2, Silent: []v1alpha1.NodeFailure{node("a")}, Unreported: 1}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Certificate = "web"
			got := ProgressOf("web", requested, test.c, test.nodes)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if got.Done() != test.done || got.Succeeded() != test.succeeded {
				t.Errorf("done %t, succeeded %t", got.Done(), got.Succeeded())
			}
		})
	}
}

func TestUnreportedNodesAreNamedWhereTheirNumberIsRight(t *testing.T) {
	reported := entries(map[string]string{"a": requested}, nil)
	for _, test := range []struct {
		name     string
		selected []string
		want     []v1alpha1.NodeFailure
	}{
		{"the right number", []string{"a", "b", "c", "d"}, []v1alpha1.NodeFailure{node("b"), lost, node("d")}},
		{"too many", []string{"a", "b", "c", "d", "e"}, []v1alpha1.NodeFailure{lost}},
		{"none, as they could not be read", nil, []v1alpha1.NodeFailure{lost}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := ProgressOf("web", requested, observed(4, lost), reported)
			p.Name(test.selected, reported)
			if diff := cmp.Diff(test.want, p.Silent); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTextsOfRequests(t *testing.T) {
	for _, test := range []struct {
		name string
		p    Progress
		want string
	}{
		{"deleted", Progress{Gone: true}, "x web: the certificate was deleted\n"},
		{"suspended", Progress{Suspended: true}, "x web: the certificate was suspended meanwhile, so no node polls it\n"},
		{"no node", Progress{}, "x web: no node is selected, so none answered; 'kubectl vaultpane status web' says why\n"},
		{"all is well", Progress{Nodes: 2, Answered: 2, Versions: map[string]int{version: 2}}, "+ web: 2 of 2 nodes answered, version 5bbe093a\n"},
		{"two versions", Progress{Nodes: 3, Answered: 3, Versions: map[string]int{"v1": 1, "v2": 2}}, "+ web: 3 of 3 nodes answered, version v2 on 2, version v1 on 1\n"},
		{"failures", Progress{Nodes: 3, Answered: 3, Failures: []v1alpha1.NodeFailure{{Node: "a", Reason: "Conflict"}, {Node: "b", Reason: "AccessDenied", Message: "denied"}, {Node: "c", Reason: "AccessDenied"}}}, `x web: 3 of 3 nodes answered, 3 with a failure
  AccessDenied on b, c
    b: denied
  Conflict on a
`},
		{"the end of the time", Progress{Nodes: 6, Answered: 1, Silent: []v1alpha1.NodeFailure{node("a"), node("b"), lost, {Node: "d", Reason: v1alpha1.ReasonPending, Message: "not yet"}}, Unreported: 1}, `x web: 1 of 6 nodes answered within 5m
  no answer from a, b, d
  the agent does not report on c
    c: it has not renewed its Lease
  1 selected node without a report of the certificate
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.p.Certificate = "web"
			if diff := cmp.Diff(test.want, test.p.Text(terminal.Style{}, 5*time.Minute, 0)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneLineSumsUp(t *testing.T) {
	one, two := Progress{Certificate: "web", Nodes: 50, Answered: 34}, Progress{Certificate: "api", Nodes: 50, Answered: 50}
	if got, want := Line(terminal.Style{}, []Progress{one}), "web  [######....] 34 of 50 nodes answered"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Line(terminal.Style{UTF8: true}, []Progress{one, two}), "1 of 2 certificates  ████████░░ 84 of 100 nodes answered"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
