package doctor

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// clusterWith returns a snapshot with one Windows node whose agent wrote its Lease a while ago.
func clusterWith(leaseAge, clockAhead time.Duration) *Snapshot {
	written := metav1.NewTime(now.Add(-leaseAge))
	renewed := metav1.NewMicroTime(written.Add(clockAhead))
	windows := map[string]string{"kubernetes.io/os": "windows"}
	return &Snapshot{
		Server: now, Local: now,
		Installation: installation.Installation{Namespace: "vaultpane-system", Agents: []appsv1.DaemonSet{{
			ObjectMeta: metav1.ObjectMeta{Name: "vaultpane-agent", Namespace: "vaultpane-system"},
			Spec:       appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{NodeSelector: windows, Containers: []corev1.Container{{Name: "agent"}}}}},
		}}},
		Nodes: []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "win-1", UID: "1", Labels: windows, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))}}},
		Leases: []coordinationv1.Lease{{
			ObjectMeta: metav1.ObjectMeta{Name: "win-1", ManagedFields: []metav1.ManagedFieldsEntry{{Time: &written}}},
			Spec:       coordinationv1.LeaseSpec{RenewTime: &renewed},
		}},
	}
}

func texts(findings []Finding) string {
	var all []string
	for _, found := range findings {
		all = append(all, string(found.Level)+": "+found.Text)
	}
	return strings.Join(all, "\n")
}

func TestAnAgentThatDoesNotRenewItsLease(t *testing.T) {
	for name, test := range map[string]struct {
		age  time.Duration
		want string
	}{
		"renewed 14 minutes ago":                 {14 * time.Minute, ""},
		"renewed 16 minutes ago":                 {16 * time.Minute, "problem: the agents of 1 of 1 node have not renewed their Lease for 15 m: win-1 (16 m)"},
		"renewed a day ago, by a node in future": {24 * time.Hour, "problem: the agents of 1 of 1 node have not renewed their Lease for 15 m: win-1 (24 h)"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := texts(findHeartbeats(clusterWith(test.age, 48*time.Hour))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestClocksAreComparedWithTheTimeOfTheWrite(t *testing.T) {
	for name, test := range map[string]struct {
		ahead, local time.Duration
		want         string
	}{
		"all agree":            {0, 0, ""},
		"a second of rounding": {900 * time.Millisecond, 0, ""},
		"a node is ahead":      {2 * time.Minute, 0, "warning: clocks of nodes differ from the API server's: win-1 is 2m0s ahead of it; beyond 5 minutes, Azure refuses tokens"},
		"a node is behind":     {-10 * time.Minute, 0, "problem: clocks of nodes differ from the API server's: win-1 is 10m0s behind it; Azure refuses tokens, and certificates count as not yet valid or expired too early"},
		"this machine is":      {0, -3 * time.Minute, "note: the clock of this machine is 3m0s behind the API server's; what is shown here goes by the API server's"},
	} {
		t.Run(name, func(t *testing.T) {
			s := clusterWith(10*time.Minute, test.ahead)
			s.Local = now.Add(test.local)
			if got := texts(findClocks(s)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheOldestKubernetes(t *testing.T) {
	for minor, problems := range map[string]int{"29": 1, "29+": 1, "30": 0, "37+": 0, "": 0} {
		s := &Snapshot{Kubernetes: version.Info{Major: "1", Minor: minor, GitVersion: "v1." + minor}}
		if got := findKubernetes(s); len(got) != problems {
			t.Errorf("1.%s has %d findings, want %d", minor, len(got), problems)
		}
	}
}

func TestNodesThatWaitForTheSameAreOneFinding(t *testing.T) {
	s := clusterWith(time.Minute, 0)
	taint := []corev1.Taint{{Key: "vaultpane.dev/certificates-not-ready", Effect: "NoSchedule"}}
	s.Nodes[0].Spec.Taints = taint
	second := *s.Nodes[0].DeepCopy()
	second.Name = "win-2"
	s.Nodes = append(s.Nodes, second)
	want := "warning: 2 nodes with the startup taint: win-1 (60 m old), win-2 (60 m old). Waiting for the first report of this node's agent; if this persists, check the agent's pod on the node"
	if got := strings.ReplaceAll(texts(findWaiting(s)), "1 h", "60 m"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheText(t *testing.T) {
	findings := inOrder([]Finding{
		{Check: "crds", Level: OK, Text: "the CRDs have the schema of this version"},
		{Check: "clocks", Level: Note, Text: "a note without a remedy"},
		{Check: "policies", Level: Problem, Text: "something that is long enough to be wrapped at sixty columns", Remedy: "Do it.", Command: "kubectl apply -k config/policy"},
	})
	want := `Vaultpane

✗ problem    policies: something that is long enough to be
             wrapped at sixty columns
             Do it.
             $ kubectl apply -k config/policy
- note       clocks: a note without a remedy
✓ ok         crds: the CRDs have the schema of this version

1 problem, 0 warnings, 1 note; 1 check found nothing wrong
`
	if got := Text("Vaultpane", findings, terminal.Style{Width: 60, UTF8: true}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if ascii := Text("Vaultpane", findings, terminal.Style{Width: 60}); strings.ContainsFunc(ascii, func(r rune) bool { return r > 127 }) {
		t.Errorf("not ASCII:\n%s", ascii)
	}
}

func TestEventsCannotPutWordsIntoTheCommand(t *testing.T) {
	for reason, want := range map[string]string{
		"FailedCreate":     "kubectl -n vaultpane-system get events --field-selector type=Warning,reason=FailedCreate",
		"A; rm -rf ~":      "kubectl -n vaultpane-system get events --field-selector type=Warning",
		"$(id)":            "kubectl -n vaultpane-system get events --field-selector type=Warning",
		"Failed\x1b[31mOh": "kubectl -n vaultpane-system get events --field-selector type=Warning",
	} {
		s := clusterWith(time.Minute, 0)
		s.Events = []corev1.Event{{Type: "Warning", Reason: reason, LastTimestamp: metav1.NewTime(now), InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "one"}}}
		found := findEvents(s)
		if len(found) != 1 || found[0].Command != want || !strings.Contains(found[0].Text, ", 1 time, ") {
			t.Errorf("%q: got %+v, want the command %q", reason, found, want)
		}
	}
}

func TestCertificatesThatNoNodeGets(t *testing.T) {
	selecting := func(name, pool string) v1alpha1.ObservedCertificate {
		return v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.ObservedCertificateSpec{NodeSelector: &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": v1alpha1.LabelValue(pool)}}}}
	}
	linux := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "linux", Labels: map[string]string{"pool": "linux"}}}
	for _, test := range []struct {
		name         string
		certificates []v1alpha1.ObservedCertificate
		change       func(*Snapshot)
		want         string
	}{
		{name: "one", certificates: []v1alpha1.ObservedCertificate{selecting("web", "sql")}, want: "warning: web selects no node; 1 node should run the agent"},
		{name: "several are one finding", certificates: []v1alpha1.ObservedCertificate{selecting("api", "sql"), selecting("web", "sql")},
			want: "warning: 2 certificates (api, web) select no node; 1 node should run the agent"},
		{name: "nodes without an agent", certificates: []v1alpha1.ObservedCertificate{selecting("web", "linux")},
			want: "warning: web selects only nodes that should not run the agent; 1 node should run the agent"},
		{name: "no node should run an agent, which is another finding", certificates: []v1alpha1.ObservedCertificate{selecting("web", "sql"), selecting("api", "linux")},
			change: func(s *Snapshot) { s.Agents[0].Spec.Template.Spec.NodeSelector = map[string]string{"pool": "none"} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := clusterWith(time.Minute, 0)
			s.Nodes = append(s.Nodes, linux)
			s.Certificates = test.certificates
			if test.change != nil {
				test.change(s)
			}
			if got := texts(findUnselected(s)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAnExpiringAuthorityOfAConfigMapIsReplacedThere(t *testing.T) {
	end := metav1.NewTime(now.Add(time.Hour))
	s := clusterWith(time.Minute, 0)
	s.Reports = []Report{{Name: "win-1", Entries: []v1alpha1.CertificateEntry{{Name: "corporate", NotAfter: &end}}}}
	s.Certificates = []v1alpha1.ObservedCertificate{{ObjectMeta: metav1.ObjectMeta{Name: "corporate"},
		Spec: v1alpha1.ObservedCertificateSpec{ConfigMap: &v1alpha1.ConfigMapKey{Name: "corporate", Key: "ca.crt"}}}}
	found := findExpiring(s)
	if len(found) != 1 || !strings.HasPrefix(found[0].Remedy, "Replace it in the ConfigMap") || found[0].Command != "kubectl describe obscert corporate" {
		t.Errorf("got %+v", found)
	}
	if vaults := findVaults(s); len(vaults) != 0 {
		t.Errorf("a vault is missed: %+v", vaults)
	}
	s.Agents[0].Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "VAULTPANE_CREDENTIAL", Value: "default"}, {Name: "AZURE_CLIENT_ID", Value: "not-a-guid"}}
	if identity := findIdentity(s); len(identity) != 0 {
		t.Errorf("an identity is missed: %+v", identity)
	}
	s.Certificates = append(s.Certificates, v1alpha1.ObservedCertificate{Spec: v1alpha1.ObservedCertificateSpec{URL: "https://shop.vault.azure.net/secrets/web"}})
	if identity := findIdentity(s); len(identity) == 0 {
		t.Error("a certificate in a vault needs one")
	}
}
