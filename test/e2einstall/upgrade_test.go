package e2einstall

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// mine is a certificate that a user created outside the chart.
const mine = "mine"

func (l *lifecycle) upgrade(t *testing.T) {
	if err := l.client.Create(t.Context(), l.suspended()); err != nil {
		t.Fatal(err)
	}
	if l.isSuspended(t, mine) || strings.Contains(l.columns(t), newColumn) {
		t.Fatal("the chart before this one has the new field or column")
	}
	before, pods := l.uids(t), l.podUIDs(t, agent, controller)
	t.Log(l.helmUpgrade(t, "--set=certificates.later.url="+l.shop.SecretURL("later"), "--set=certificates.later."+newField+"=true"))
	if after := l.uids(t); !maps.Equal(before, after) {
		t.Errorf("objects were %v, and are %v", before, after)
	}
	if after := l.podUIDs(t, agent, controller); !slices.Equal(pods, after) {
		t.Errorf("an upgrade without changes of the pods replaced some: %v, and then %v", pods, after)
	}
	if columns := l.columns(t); !strings.Contains(columns, newColumn) {
		t.Errorf("kubectl shows %s, want the new column %s", columns, newColumn)
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"`+newField+`":true}}`))
	if err := l.client.Patch(t.Context(), l.suspended(), patch); err != nil {
		t.Fatal(err)
	}
	if !l.isSuspended(t, mine) {
		t.Errorf("the new field spec.%s is not kept", newField)
	}
	if !l.isSuspended(t, "later") {
		t.Errorf("the new field spec.%s is not in a certificate that came with the upgrade", newField)
	}
	l.installedEverywhere(t, "1/1")
}

func (l *lifecycle) controllerValue(t *testing.T) {
	agents, controllers := l.podUIDs(t, agent), l.podUIDs(t, controller)
	l.helmUpgrade(t, "--set=controller.logLevel=1")
	l.replaced(t, controller, controllers)
	if after := l.podUIDs(t, agent); !slices.Equal(agents, after) {
		t.Errorf("agents were replaced: %v, and then %v", agents, after)
	}
}

// agentValue shows that the new agents work too: the certificate is renewed.
func (l *lifecycle) agentValue(t *testing.T) {
	agents, controllers := l.podUIDs(t, agent), l.podUIDs(t, controller)
	l.helmUpgrade(t, "--set=controller.logLevel=1", "--set=agent.logLevel=1")
	l.replaced(t, agent, agents)
	if after := l.podUIDs(t, controller); !slices.Equal(controllers, after) {
		t.Errorf("controllers were replaced: %v, and then %v", controllers, after)
	}
	renewed, err := l.shop.Put("web", keyvault.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.thumbprint = renewed.Thumbprint
	var web v1alpha1.ObservedCertificate
	l.get(t, "", "web", &web)
	before := web.DeepCopy()
	metav1.SetMetaDataAnnotation(&web.ObjectMeta, v1alpha1.RequestedAtAnnotation, time.Now().UTC().Format(time.RFC3339Nano))
	if err := l.client.Patch(t.Context(), &web, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	l.installedEverywhere(t, "1/1")
	l.holds(t, windows)
}

// replaced reports whether all pods of a component are different from before, and as many, once terminating pods have ended.
func (l *lifecycle) replaced(t *testing.T, component string, before []types.UID) {
	t.Helper()
	await.That(t, "each pod of "+component+" is replaced", func() (bool, error) {
		after := l.podUIDs(t, component)
		kept := slices.ContainsFunc(after, func(uid types.UID) bool { return slices.Contains(before, uid) })
		return len(after) == len(before) && !kept, nil
	})
}

func (l *lifecycle) helmUpgrade(t *testing.T, arguments ...string) string {
	t.Helper()
	return l.helm(t, append([]string{"upgrade", release, l.chart, "--values=" + l.file, "--wait", "--timeout=" + helmLimit}, arguments...)...)
}

// suspended uses the field that the CRD of the previous chart does not have.
func (l *lifecycle) suspended() *v1alpha1.ObservedCertificate {
	return &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: mine},
		Spec: v1alpha1.ObservedCertificateSpec{
			URL: l.shop.SecretURL(mine), Suspend: true,
			NodeSelector: &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"nowhere": ""}},
		},
	}
}

func (l *lifecycle) isSuspended(t *testing.T, name string) bool {
	t.Helper()
	var certificate v1alpha1.ObservedCertificate
	l.get(t, "", name, &certificate)
	return certificate.Spec.Suspend
}

// uids are those of what an upgrade must keep.
func (l *lifecycle) uids(t *testing.T) map[string]types.UID {
	t.Helper()
	uids := map[string]types.UID{}
	for name, object := range map[string]client.Object{
		"web": &v1alpha1.ObservedCertificate{}, mine: &v1alpha1.ObservedCertificate{}, windows: &v1alpha1.NodeCertificateState{},
	} {
		l.get(t, "", name, object)
		uids[name] = object.GetUID()
	}
	return uids
}

// podUIDs are the UIDs of pods in a fixed order, which show whether pods were replaced.
func (l *lifecycle) podUIDs(t *testing.T, components ...string) []types.UID {
	t.Helper()
	var uids []types.UID
	for _, component := range components {
		for _, pod := range l.pods(t, component) {
			uids = append(uids, pod.UID)
		}
	}
	slices.Sort(uids)
	return uids
}

// columns are what kubectl heads its wide list with.
func (l *lifecycle) columns(t *testing.T) string {
	t.Helper()
	output, err := l.cluster.Kubectl("get", "observedcertificates", "-o", "wide").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	heading, _, _ := strings.Cut(string(output), "\n")
	return heading
}
