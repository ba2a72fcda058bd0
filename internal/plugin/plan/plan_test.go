package plan

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// wanted returns a certificate with the defaults of the CRD.
func wanted(name string, changes ...func(*v1alpha1.ObservedCertificateSpec)) v1alpha1.ObservedCertificate {
	certificate := v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ObservedCertificateSpec{
		URL: "https://shop.vault.azure.net/secrets/" + name, CertificateStoreName: "MY", CertificateStoreLocation: v1alpha1.LocalMachine,
		PollingIntervalInS: 3600, DeletionPolicy: v1alpha1.DeletionRetain,
	}}
	for _, change := range changes {
		change(&certificate.Spec)
	}
	return certificate
}

func pool(name string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": v1alpha1.LabelValue(name)}}
	}
}

func url(text string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) { spec.URL = text }
}

// fromConfigMap takes the certificate from a ConfigMap, into the same store: the API server would refuse that, and a plan does not.
func fromConfigMap(spec *v1alpha1.ObservedCertificateSpec) {
	spec.URL, spec.ConfigMap = "", &v1alpha1.ConfigMapKey{Name: "corporate", Key: "ca.crt"}
}

func exportable(spec *v1alpha1.ObservedCertificateSpec) { spec.KeyExportable = true }

// fleet is a cluster with three Windows nodes in two pools, whose agents report, and a Linux node.
func fleet(certificates ...v1alpha1.ObservedCertificate) *State {
	windows := func(name, pool string) Node {
		return Node{Name: name, Labels: labels.Set{"kubernetes.io/os": "windows", "pool": pool}, Reports: true}
	}
	agents := appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		NodeSelector: map[string]string{"kubernetes.io/os": "windows"}, Containers: []corev1.Container{{Name: "agent"}}}}}}
	return &State{
		Installation: installation.Installation{Namespace: "vaultpane-system", Agents: []appsv1.DaemonSet{agents}},
		Certificates: certificates,
		Nodes:        []Node{windows("sql-1", "sql"), windows("web-1", "web"), windows("web-2", "web"), {Name: "linux", Labels: labels.Set{"kubernetes.io/os": "linux", "pool": "linux"}}},
	}
}

func TestWhatChanges(t *testing.T) {
	all := []string{"sql-1", "web-1", "web-2"}
	tests := []struct {
		name    string
		state   *State
		wanted  []v1alpha1.ObservedCertificate
		action  Action
		fields  []Field
		nodes   Reach
		remarks []Remark
	}{
		{name: "a new certificate for all nodes", state: fleet(), wanted: []v1alpha1.ObservedCertificate{wanted("web")}, action: New, nodes: Reach{Gain: all}},
		{name: "a new certificate for a pool", state: fleet(), wanted: []v1alpha1.ObservedCertificate{wanted("web", pool("web"))}, action: New, nodes: Reach{Gain: all[1:]}},
		{name: "no change", state: fleet(wanted("web")), wanted: []v1alpha1.ObservedCertificate{wanted("web")}, action: Unchanged, nodes: Reach{Keep: all}},
		{name: "fields that change", state: fleet(wanted("web")), action: Changed, nodes: Reach{Keep: all},
			wanted: []v1alpha1.ObservedCertificate{wanted("web", exportable, func(s *v1alpha1.ObservedCertificateSpec) { s.PollingIntervalInS = 600 })},
			fields: []Field{{Path: "spec.keyExportable", To: "true"}, {Path: "spec.pollingIntervalInS", From: "3600", To: "600"}}},
		{name: "another pool", state: fleet(wanted("web", pool("sql"))), wanted: []v1alpha1.ObservedCertificate{wanted("web", pool("web"))}, action: Changed,
			fields: []Field{{Path: "spec.nodeSelector.matchLabels.pool", From: `"sql"`, To: `"web"`}}, nodes: Reach{Gain: all[1:], Lose: all[:1]},
			remarks: []Remark{{Level: Note, Text: "1 node no longer selected would keep it in the store (deletionPolicy Retain)"}}},
		{name: "another secret", state: fleet(wanted("web")), wanted: []v1alpha1.ObservedCertificate{wanted("web", url("https://shop.vault.azure.net/secrets/new"))}, action: Changed, nodes: Reach{Keep: all},
			fields:  []Field{{Path: "spec.url", From: `"https://shop.vault.azure.net/secrets/web"`, To: `"https://shop.vault.azure.net/secrets/new"`}},
			remarks: []Remark{{Level: Note, Text: `it names another secret or version: the certificate of https://shop.vault.azure.net/secrets/web in LocalMachine\MY stays there as an older version`}}},
		{name: "a new certificate from a ConfigMap", state: fleet(), wanted: []v1alpha1.ObservedCertificate{wanted("web", fromConfigMap)}, action: New, nodes: Reach{Gain: all}},
		{name: "a ConfigMap instead of a secret", state: fleet(wanted("web")), wanted: []v1alpha1.ObservedCertificate{wanted("web", fromConfigMap)}, action: Changed, nodes: Reach{Keep: all},
			fields:  []Field{{Path: "spec.configMap", To: `{"key":"ca.crt","name":"corporate"}`}, {Path: "spec.url", From: `"https://shop.vault.azure.net/secrets/web"`}},
			remarks: []Remark{{Level: Note, Text: `it comes from elsewhere: the certificate of https://shop.vault.azure.net/secrets/web in LocalMachine\MY stays there as an older version`}}},
		{name: "a pool without nodes", state: fleet(), wanted: []v1alpha1.ObservedCertificate{wanted("web", pool("none"))}, action: New,
			remarks: []Remark{{Level: Warning, Text: "no node would get it", Remedy: "Compare spec.nodeSelector with the labels of the nodes.", Command: "kubectl get nodes --show-labels"}}},
		{name: "nodes without an agent", state: fleet(), wanted: []v1alpha1.ObservedCertificate{wanted("web", pool("linux"))}, action: New, nodes: Reach{Without: []string{"linux"}},
			remarks: []Remark{{Level: Warning, Text: "no node would get it: 1 node is selected and should not run the agent (linux)", Remedy: "Compare spec.nodeSelector with the labels of the nodes.", Command: "kubectl get nodes --show-labels"}}},
		{name: "a vault that is not allowed", state: fleet(), wanted: []v1alpha1.ObservedCertificate{wanted("web", url("https://vault.example.com/secrets/web"))}, action: New, nodes: Reach{Gain: all},
			remarks: []Remark{{Level: Conflict, Text: "VaultNotAllowed: vault.example.com is not a Key Vault host that the agent may contact (allowed: *.vault.azure.net, *.vault.azure.cn, *.vault.usgovcloudapi.net); correct the URL, or add the host to the agent's --allowed-vault-hosts",
				Remedy:  "Correct the URL. If it is a vault that you trust with tokens of the agents, allow it.",
				Command: "kubectl -n vaultpane-system set env daemonset --selector app.kubernetes.io/name=vaultpane VAULTPANE_ALLOWED_VAULT_HOSTS=vault.example.com"}}},
		{name: "the same certificate under another name", state: fleet(wanted("old", url("https://SHOP.vault.azure.net:443/secrets/web"))), wanted: []v1alpha1.ObservedCertificate{wanted("web")}, action: New, nodes: Reach{Gain: all},
			remarks: []Remark{{Level: Note, Text: `old installs the same certificate into LocalMachine\MY: they share it, and the accounts of both get access`}}},
		{name: "the same certificate with other key options", state: fleet(wanted("old", url("https://shop.vault.azure.net/secrets/web"), exportable)), wanted: []v1alpha1.ObservedCertificate{wanted("web")}, action: New, nodes: Reach{Gain: all},
			remarks: []Remark{{Level: Conflict, Text: "old installs the same certificate with other key options (keyExportable true, here keyExportable false): the older of the two wins, and the other has the reason Conflict",
				Remedy: "Give both the same key options, or remove one.", Command: "kubectl get obscert old -o yaml"}}},
		{name: "the same certificate on other nodes", state: fleet(wanted("old", url("https://shop.vault.azure.net/secrets/web"), exportable, pool("sql"))), wanted: []v1alpha1.ObservedCertificate{wanted("web", pool("web"))}, action: New, nodes: Reach{Gain: all[1:]}},
		{name: "the same certificate in the same files", state: fleet(), wanted: []v1alpha1.ObservedCertificate{wanted("web"), wanted("copy", url("https://shop.vault.azure.net/secrets/web"))}, action: New, nodes: Reach{Gain: all},
			remarks: []Remark{{Level: Note, Text: `copy of these files installs the same certificate into LocalMachine\MY: they share it, and the accounts of both get access`}}},
		{name: "another version of the same secret", state: fleet(wanted("old", url("https://shop.vault.azure.net/secrets/web/0123456789abcdef0123456789abcdef"))), wanted: []v1alpha1.ObservedCertificate{wanted("web")}, action: New, nodes: Reach{Gain: all},
			remarks: []Remark{{Level: Note, Text: `old installs another version of the same secret into LocalMachine\MY: a node gets both`}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Make(test.state, test.wanted)[0]
			want := Change{Name: "web", Action: test.action, URL: test.wanted[0].Spec.Source(), Store: `LocalMachine\MY`, Fields: test.fields, Nodes: test.nodes, Remarks: test.remarks}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatTheAPIServerAnswers(t *testing.T) {
	state := fleet()
	for name, test := range map[string]struct {
		answer Answer
		want   Level
	}{
		"refused":   {Answer{Refused: errors.New("no")}, Conflict},
		"not asked": {Answer{NotAsked: errors.New("no right")}, Note},
		"stored":    {Answer{}, ""},
	} {
		state.Tried = map[string]Answer{"web": test.answer}
		if got := Worst(Make(state, []Wanted{wanted("web")})); got != test.want {
			t.Errorf("%s: the worst is %q, want %q", name, got, test.want)
		}
	}
}

func TestTheText(t *testing.T) {
	state := fleet(wanted("api"), wanted("old", url("https://shop.vault.azure.net/secrets/web"), exportable))
	changes := Make(state, []Wanted{wanted("web", pool("web")), wanted("api", func(s *v1alpha1.ObservedCertificateSpec) { s.PollingIntervalInS = 600 })})
	want := `+ web  new
    https://shop.vault.azure.net/secrets/web
    into LocalMachine\MY
    2 nodes would get it: web-1, web-2
    x conflict: old installs the same certificate with other key options (keyExportable
      true, here keyExportable false): the older of the two wins, and the other has the
      reason Conflict
      Give both the same key options, or remove one.
      $ kubectl get obscert old -o yaml

~ api  changed
    spec.pollingIntervalInS: 3600 -> 600
    3 nodes are selected as before: sql-1, web-1, web-2

1 new, 1 changed, 0 unchanged; 1 conflict, 0 warnings
`
	if got := Text(changes, nil, terminal.Style{Width: 90}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
