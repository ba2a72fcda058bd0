package isolation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/suite"
)

// own is the node whose agent's token was stolen. The name of another begins with it.
const (
	own     = "akswin00000"
	another = "akswin000001"
)

// environment is what the tests share: a cluster of two nodes.
type environment struct {
	plane *controlplane.ControlPlane
	admin client.Client
	agent client.Client // with the stolen token
	nodes map[string]types.UID
}

var scheme = suite.Scheme()

var startOnce = sync.OnceValues(startEnvironment)

func TestMain(m *testing.M) {
	os.Exit(suite.Run(m, logr.Discard(), ""))
}

func sharedEnvironment(t *testing.T) *environment {
	t.Helper()
	controlplane.SkipWithout(t)
	w, err := startOnce()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func startEnvironment() (*environment, error) {
	w := &environment{nodes: map[string]types.UID{}}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var err error
	if w.plane, err = suite.Plane(ctx); err != nil {
		return nil, err
	}
	if err := install.Everything(ctx, w.plane, filepath.Join("..", "..")); err != nil {
		return nil, err
	}
	if output, err := w.plane.Kubectl("apply", "-k", filepath.Join("..", "..", "config", "trust")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("applying config/trust: %w: %s", err, output)
	}
	if w.admin, err = newClient(w.plane.Config()); err != nil {
		return nil, err
	}
	for _, name := range []string{own, another} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := w.admin.Create(ctx, node); err != nil {
			return nil, err
		}
		w.nodes[name] = node.UID
	}
	config, err := install.AgentConfig(ctx, w.plane, own)
	if err != nil {
		return nil, err
	}
	w.agent, err = newClient(config)
	return w, err
}

func newClient(config *rest.Config) (client.Client, error) {
	return client.New(config, client.Options{Scheme: scheme})
}

// tokenOf is a client with the token of the agent on a node; of none with "".
func (w *environment) tokenOf(t *testing.T, node string) client.Client {
	t.Helper()
	config, err := install.AgentConfig(t.Context(), w.plane, node)
	if err != nil {
		t.Fatal(err)
	}
	return clientWith(t, config)
}

func clientWith(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	made, err := newClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// state is the NodeCertificateState that a node's agent writes.
func (w *environment) state(node string) *v1alpha1.NodeCertificateState {
	return &v1alpha1.NodeCertificateState{ObjectMeta: w.owned("", node), NodeUID: string(w.nodes[node])}
}

// lease is the Lease that a node's agent writes.
func (w *environment) lease(node string) *coordinationv1.Lease {
	holder, now := string(w.nodes[node]), metav1.NowMicro()
	return &coordinationv1.Lease{
		ObjectMeta: w.owned(install.Namespace, node),
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &now},
	}
}

func (w *environment) owned(namespace, node string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: node, OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "Node", Name: node, UID: w.nodes[node]},
	}}
}

// there is an object that the administrator made, for as long as the test runs.
func (w *environment) there(t *testing.T, object client.Object) {
	t.Helper()
	if err := w.admin.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.IgnoreNotFound(w.admin.Delete(context.Background(), object)); err != nil {
			t.Error(err)
		}
	})
}

// expect compares a response with the expected message of the policy; an empty text means that the request is accepted.
func expect(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("refused: %v", err)
	case says == "":
	case err == nil:
		t.Error("accepted")
	case !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'vaultpane-agent-") || !strings.Contains(err.Error(), says):
		t.Errorf("got %v\nwant it forbidden by the policy with %q", err, says)
	}
}
