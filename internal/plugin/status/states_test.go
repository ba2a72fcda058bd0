package status

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// readState returns a report as it is read from an API server.
func readState(t *testing.T, node, agent string, entries ...v1alpha1.CertificateEntry) *NodeState {
	t.Helper()
	text, err := json.Marshal(v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: node, Labels: map[string]string{"name": "no"}}, AgentVersion: agent, Certificates: entries, Omitted: &v1alpha1.Omitted{Certificates: 2}})
	if err != nil {
		t.Fatal(err)
	}
	state := &NodeState{}
	if err := state.ReadJSON(text); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestStatesKeepWhatIsWanted(t *testing.T) {
	web := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Thumbprint: newPrint, Message: `{"name":"api"}`, NotAfter: after(day)}
	api := v1alpha1.CertificateEntry{Name: "api", Generation: 1}
	for _, test := range []struct {
		name   string
		wanted []string
		want   map[string]v1alpha1.CertificateEntry
	}{
		{"all", nil, map[string]v1alpha1.CertificateEntry{"web": web, "api": api}},
		{"one", []string{"web"}, map[string]v1alpha1.CertificateEntry{"web": web}},
		{"none of them", []string{"other"}, map[string]v1alpha1.CertificateEntry{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			states := NewStates(test.wanted, nil)
			states.Set(readState(t, "win-1", "v1", web, api))
			want := map[string]Reported{"win-1": {AgentVersion: "v1", Certificates: test.want, Omitted: 2}}
			if diff := cmp.Diff(want, states.Nodes()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAListReplacesWhatWasThere(t *testing.T) {
	changes := 0
	states := NewStates(nil, func() { changes++ })
	set := func(node string) { states.Set(readState(t, node, "v1")) }
	expect := func(wantChanges int, want ...string) {
		t.Helper()
		got := []string{}
		for _, name := range []string{"a", "b", "c"} {
			if _, found := states.Nodes()[name]; found {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || changes != wantChanges {
			t.Errorf("%d changes, want %d; nodes:\n%s", changes, wantChanges, diff)
		}
	}
	states.Begin()
	set("a")
	set("b")
	states.Listed()
	expect(1, "a", "b")
	set("c")
	states.Delete(readState(t, "a", "v1"))
	expect(3, "b", "c")
	states.Begin()
	set("c")
	expect(3, "b", "c") // until the list is complete
	states.Listed()
	expect(4, "c")
}
