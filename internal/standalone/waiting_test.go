package standalone

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// agentWith returns an agent that has looked at these certificates and processed none.
func agentWith(t *testing.T, found Found) *Agent {
	t.Helper()
	agent := &Agent{Source: &Source{Now: time.Now}, State: newState(winetest.TempDir(t))}
	agent.Source.Replace(found, nil)
	agent.tell(t.Context(), found)
	return agent
}

// observed is a certificate of the files, and entry what is reported of it.
func observed(name string, change func(*v1alpha1.ObservedCertificateSpec)) v1alpha1.ObservedCertificate {
	certificate := v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if change != nil {
		change(&certificate.Spec)
	}
	return certificate
}

func entry(certificate v1alpha1.ObservedCertificate) v1alpha1.CertificateEntry {
	return v1alpha1.CertificateEntry{Name: certificate.Name, Generation: ObjectOf(certificate, noTime).Generation, Thumbprint: "AA"}
}

func TestWhatAProgramWaitsFor(t *testing.T) {
	web, api := observed("web", nil), observed("api", nil)
	required := observed("required", func(spec *v1alpha1.ObservedCertificateSpec) { spec.RequireInitialSync = true })
	suspended := observed("suspended", func(spec *v1alpha1.ObservedCertificateSpec) { spec.Suspend = true })
	earlier := entry(web)
	earlier.Generation++
	failed := v1alpha1.CertificateEntry{Name: "web", Generation: entry(web).Generation, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonAccessDenied, Message: "the vault refuses."}
	for _, test := range []struct {
		name    string
		found   Found
		entries []v1alpha1.CertificateEntry
		want    string // parts of the reasons, separated by |; empty for none
	}{
		{"no certificate", Found{}, nil, ""},
		{"one that was not processed", Found{Certificates: []v1alpha1.ObservedCertificate{web}}, nil, "web: not processed yet"},
		{"one that is installed", Found{Certificates: []v1alpha1.ObservedCertificate{web}}, []v1alpha1.CertificateEntry{entry(web)}, ""},
		{"one that is installed as it was earlier", Found{Certificates: []v1alpha1.ObservedCertificate{web}}, []v1alpha1.CertificateEntry{earlier}, "web: not processed yet"},
		{"one that failed", Found{Certificates: []v1alpha1.ObservedCertificate{web}}, []v1alpha1.CertificateEntry{failed}, "web: AccessDenied: the vault refuses"},
		{"all, where none is required", Found{Certificates: []v1alpha1.ObservedCertificate{web, api}}, []v1alpha1.CertificateEntry{entry(api)}, "web: not processed yet"},
		{"only what is required", Found{Certificates: []v1alpha1.ObservedCertificate{web, required}}, []v1alpha1.CertificateEntry{entry(required)}, ""},
		{"what is required", Found{Certificates: []v1alpha1.ObservedCertificate{web, required}}, []v1alpha1.CertificateEntry{entry(web)}, "required: not processed yet"},
		{"none that is suspended", Found{Certificates: []v1alpha1.ObservedCertificate{suspended}}, nil, ""},
		{"settings that are wrong", Found{Problems: []string{"a.json:1: wrong"}, Incomplete: true, Unread: true}, nil, "a.json:1: wrong"},
	} {
		t.Run(test.name, func(t *testing.T) {
			agent := agentWith(t, test.found)
			for _, entry := range test.entries {
				agent.State.Set(entry)
			}
			if got := strings.Join(agent.Waiting(t.Context()), "|"); got != test.want {
				t.Errorf("it waits for %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatAnEarlierAgentReportedIsLeftOverOnlyWhenAllIsKnown(t *testing.T) {
	for _, incomplete := range []bool{true, false} {
		agent := agentWith(t, Found{Certificates: []v1alpha1.ObservedCertificate{observed("web", nil)}, Incomplete: incomplete})
		agent.State.Set(v1alpha1.CertificateEntry{Name: "web"})
		agent.State.Set(v1alpha1.CertificateEntry{Name: "earlier"})
		want := "earlier"
		if incomplete {
			want = ""
		}
		if got := strings.Join(agent.leftOver(t.Context()), " "); got != want {
			t.Errorf("incomplete %t: left over are %q, want %q", incomplete, got, want)
		}
	}
}
