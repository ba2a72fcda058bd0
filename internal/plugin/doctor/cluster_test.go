package doctor_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/doctor"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
)

const (
	namespace = install.Namespace
	clientID  = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
	released  = "0.1.0" // of config/
)

// hospital is a cluster in which everything is right, until a test changes it. No controllers run in it: the test writes what they and
// kubelets would.
type hospital struct {
	plane *controlplane.ControlPlane
	kube  client.Client
	root  string
	dir   string
	names map[string]error // what does not resolve
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard()) // controller-runtime prints a stack when it has none after 30 s
	os.Exit(m.Run())
}

// admit starts a healthy cluster with two Windows nodes.
func admit(t *testing.T) *hospital {
	t.Helper()
	h := &hospital{plane: controlplane.ForTest(t), dir: t.TempDir(), names: map[string]error{}}
	var err error
	if h.root, err = filepath.Abs("../../.."); err != nil {
		t.Fatal(err)
	}
	types, err := scheme.New(appsv1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	if h.kube, err = client.New(h.plane.Config(), client.Options{Scheme: types}); err != nil {
		t.Fatal(err)
	}
	h.must(t, install.Everything(t.Context(), h.plane, h.root))
	h.kubectl(t, "apply", "-f", "config/default/namespace.yaml", "-f", "config/agent/agent.yaml", "-f", "config/controller/controller.yaml")
	h.kubectl(t, "-n", namespace, "set", "env", "daemonset/vaultpane-agent", "AZURE_CLIENT_ID="+clientID)
	for _, node := range []string{"win-1", "win-2"} {
		h.node(t, node)
	}
	h.controllerLease(t)
	h.certificate(t, "web", "https://shop.vault.azure.net/secrets/web")
	h.build(t)
	return h
}

// node creates a node on which an agent runs and reports.
func (h *hospital) node(t *testing.T, name string) {
	t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/os": "windows"}}}
	h.must(t, h.kube.Create(t.Context(), node))
	h.pod(t, "vaultpane-agent-"+name, name, nil)
	h.report(t, name)
	holder, now := string(node.UID), metav1.NowMicro()
	h.must(t, h.kube.Create(t.Context(), &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &now}}))
}

// pod creates an agent's pod that runs, or that waits.
func (h *hospital) pod(t *testing.T, name, node string, waiting *corev1.ContainerStateWaiting) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/name": "vaultpane", "app.kubernetes.io/component": "agent"}},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "agent", Image: "ghcr.io/vaultpane/vaultpane-agent:" + released}}},
	}
	h.must(t, h.kube.Create(t.Context(), pod))
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "agent", Image: pod.Spec.Containers[0].Image, Ready: waiting == nil, State: corev1.ContainerState{Waiting: waiting}}}
	h.must(t, h.kube.Status().Update(t.Context(), pod))
}

// removePod deletes a pod at once, as kubelet confirms it.
func (h *hospital) removePod(t *testing.T, name string) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	h.must(t, h.kube.Delete(t.Context(), pod, client.GracePeriodSeconds(0)))
}

// report writes the state of a node on which everything is installed, with changes.
func (h *hospital) report(t *testing.T, name string, changes ...func(*v1alpha1.NodeCertificateState)) {
	t.Helper()
	var node corev1.Node
	h.must(t, h.kube.Get(t.Context(), client.ObjectKey{Name: name}, &node))
	expires := metav1.NewTime(time.Now().Add(90 * 24 * time.Hour).Truncate(time.Second))
	state := &v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: name}, AgentVersion: "v" + released, NodeUID: string(node.UID),
		Certificates: []v1alpha1.CertificateEntry{{Name: "web", Generation: 1, Thumbprint: "AB12", NotAfter: &expires}}}
	for _, change := range changes {
		change(state)
	}
	var there v1alpha1.NodeCertificateState
	if err := h.kube.Get(t.Context(), client.ObjectKey{Name: name}, &there); err == nil {
		state.ResourceVersion = there.ResourceVersion
		h.must(t, h.kube.Update(t.Context(), state))
		return
	}
	h.must(t, h.kube.Create(t.Context(), state))
}

// entry changes the report's entry of web.
func entry(change func(*v1alpha1.CertificateEntry)) func(*v1alpha1.NodeCertificateState) {
	return func(state *v1alpha1.NodeCertificateState) { change(&state.Certificates[0]) }
}

func (h *hospital) certificate(t *testing.T, name, url string, changes ...func(*v1alpha1.ObservedCertificateSpec)) {
	t.Helper()
	certificate := &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ObservedCertificateSpec{URL: url}}
	for _, change := range changes {
		change(&certificate.Spec)
	}
	h.must(t, h.kube.Create(t.Context(), certificate))
}

func (h *hospital) controllerLease(t *testing.T) {
	t.Helper()
	holder, now := "vaultpane-controller-1", metav1.NowMicro()
	h.must(t, client.IgnoreAlreadyExists(h.kube.Create(t.Context(), &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "vaultpane-controller"},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &now}})))
}

// renew renews the controller's Lease, which a slow test outlasts.
func (h *hospital) renew(t *testing.T) {
	t.Helper()
	h.kubectl(t, "-n", namespace, "annotate", "lease", "vaultpane-controller", "--overwrite", "renewed="+time.Now().Format("150405.000000"))
}

// build builds the plugin, for remedies that use it, and a kubeconfig.
func (h *hospital) build(t *testing.T) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(h.dir, "kubectl-vaultpane"), "./cmd/kubectl-vaultpane")
	command.Dir = h.root
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v\n%s", err, output)
	}
	h.must(t, h.plane.WriteKubeconfig(filepath.Join(h.dir, "kubeconfig")))
}

// shell runs a remedy as a person does, in the repository's folder.
func (h *hospital) shell(t *testing.T, line string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", line)
	command.Dir = h.root
	kubectl := filepath.Dir(h.plane.Kubectl().Path)
	command.Env = append(os.Environ(), "PATH="+kubectl+":"+h.dir+":"+os.Getenv("PATH"), "KUBECONFIG="+filepath.Join(h.dir, "kubeconfig"), "KUBECACHEDIR="+filepath.Join(h.dir, "cache"))
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("running the remedy %s: %v\n%s", line, err, output)
	}
}

func (h *hospital) kubectl(t *testing.T, arguments ...string) {
	t.Helper()
	command := h.plane.Kubectl(arguments...)
	command.Dir = h.root
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
}

// examine runs all checks.
func (h *hospital) examine(t *testing.T) []doctor.Finding {
	t.Helper()
	h.renew(t)
	api, err := cluster.NewClient(h.plane.Config())
	h.must(t, err)
	return doctor.Check(h.read(t, api))
}

// read returns a snapshot in which the nodes are an hour old, however long the test takes.
func (h *hospital) read(t *testing.T, api *cluster.Client) *doctor.Snapshot {
	t.Helper()
	snapshot, err := h.reader(api).Read(t.Context())
	h.must(t, err)
	for i := range snapshot.Nodes {
		snapshot.Nodes[i].CreationTimestamp.Time = snapshot.Server.Add(-time.Hour)
	}
	return snapshot
}

func (h *hospital) reader(api *cluster.Client) *doctor.Reader {
	return &doctor.Reader{Cluster: api, Version: released, Resolve: func(_ context.Context, host string) error { return h.names[host] }}
}

// healthy waits until no check finds a problem, a warning or a note.
func (h *hospital) healthy(t *testing.T) {
	t.Helper()
	await.That(t, "nothing is wrong", func() (bool, error) {
		for _, found := range h.examine(t) {
			if found.Level != doctor.OK {
				return false, fmt.Errorf("%s: %s: %s", found.Level, found.Check, found.Text)
			}
		}
		return true, nil
	})
}

func (h *hospital) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// awaitServed waits until states can be written again.
func awaitServed(t *testing.T, h *hospital) {
	t.Helper()
	await.That(t, "states are served", func() (bool, error) {
		return true, h.kube.List(t.Context(), &v1alpha1.NodeCertificateStateList{})
	})
}

// entryFailed changes the report's entry of web to one that may not be read.
var entryFailed = entry(func(e *v1alpha1.CertificateEntry) {
	e.State, e.Reason, e.Message = v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied, "403 from shop"
})

func forPool(pool string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": v1alpha1.LabelValue(pool)}}
	}
}

// as returns a client of a user.
func (h *hospital) as(t *testing.T, user string) *cluster.Client {
	t.Helper()
	config, err := h.plane.UserConfig(user)
	h.must(t, err)
	api, err := cluster.NewClient(config)
	h.must(t, err)
	return api
}
