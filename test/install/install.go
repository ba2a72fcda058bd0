// Package install puts Vaultpane into a test's control plane from the files that an administrator applies, and gives out
// the agents' tokens. It needs the repository's folder.
package install

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/controlplane"
)

const (
	// Namespace is where the agents and their Leases are.
	Namespace = "vaultpane-system"
	// Agent is the name of the agents' service account.
	Agent = "vaultpane-agent"
	// Controller is the name of the controller's service account.
	Controller = "vaultpane-controller"
	// AgentUser is who that is to the API server.
	AgentUser = "system:serviceaccount:" + Namespace + ":" + Agent
)

// limit is how long a new policy may take to be in force; it takes about a second on a machine that is not busy.
const limit = 3 * time.Minute

// Everything installs the CRDs, the agents' and the controller's rights and the agents' policies, and returns when all are in
// force.
func Everything(ctx context.Context, plane *controlplane.ControlPlane, root string) error {
	if err := plane.InstallCRDs(ctx, filepath.Join(root, "config", "crd")); err != nil {
		return err
	}
	for _, arguments := range [][]string{
		{"create", "namespace", Namespace},
		{"apply", "-f", filepath.Join(root, "config", "rbac", "agent"), "-f", filepath.Join(root, "config", "rbac", "controller")},
		{"apply", "-k", filepath.Join(root, "config", "policy")},
	} {
		if output, err := plane.Kubectl(arguments...).CombinedOutput(); err != nil {
			return fmt.Errorf("running kubectl %s: %w: %s", strings.Join(arguments, " "), err, output)
		}
	}
	return InForce(ctx, plane)
}

// InForce returns when the API server applies the agents' policies. It takes up new ones one by one, a moment after they
// were written.
func InForce(ctx context.Context, plane *controlplane.ControlPlane) error {
	config, err := plane.UserConfig(AgentUser) // with the agents' rights, and on no node
	if err != nil {
		return err
	}
	types, err := scheme.New()
	if err != nil {
		return err
	}
	agent, err := client.New(config, client.Options{Scheme: types})
	if err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	for policy, object := range map[string]client.Object{
		"vaultpane-agent-nodecertificatestates": &v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: "probe"}},
		"vaultpane-agent-leases":                &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: Namespace}},
		"vaultpane-agent-events":                NewEvent("probe"),
	} {
		if err := untilRefused(ctx, agent, policy, object); err != nil {
			return err
		}
	}
	return nil
}

// untilRefused tries without effect until the policy says no.
func untilRefused(ctx context.Context, agent client.Client, policy string, object client.Object) error {
	last := errors.New("there was none")
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, limit, true, func(ctx context.Context) (bool, error) {
		err := agent.Create(ctx, object.DeepCopyObject().(client.Object), client.DryRunAll)
		if ctx.Err() != nil {
			return false, ctx.Err() // the previous response says more
		}
		if last = err; last == nil {
			last = errors.New("it was allowed")
		}
		return strings.Contains(last.Error(), "ValidatingAdmissionPolicy '"+policy+"'"), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the policy %s: %w (last response: %w)", policy, err, last)
	}
	return nil
}

// NewEvent is an event as the agent writes it about its Node.
func NewEvent(node string) *eventsv1.Event {
	return &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: node + "-", Namespace: metav1.NamespaceDefault},
		EventTime:  metav1.NowMicro(), ReportingController: "vaultpane-agent", ReportingInstance: "vaultpane-agent-" + node,
		Action: "InstallCertificate", Reason: string(v1alpha1.ReasonAccessDenied), Type: corev1.EventTypeWarning,
		Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: node},
	}
}

// WithNode is Everything, makes a Node of Windows, and writes the kubeconfig of its agent. It returns a client with all rights.
func WithNode(ctx context.Context, plane *controlplane.ControlPlane, root, node, kubeconfig string) (client.Client, error) {
	if err := Everything(ctx, plane, root); err != nil {
		return nil, err
	}
	types, err := scheme.New()
	if err != nil {
		return nil, err
	}
	kube, err := client.New(plane.Config(), client.Options{Scheme: types})
	if err != nil {
		return nil, fmt.Errorf("creating a client: %w", err)
	}
	one := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node, Labels: map[string]string{"kubernetes.io/os": "windows"}}}
	if err := kube.Create(ctx, one); err != nil {
		return nil, fmt.Errorf("making the Node %s: %w", node, err)
	}
	return kube, WriteAgentKubeconfig(ctx, plane, kubeconfig, node)
}

// AgentConfig is a client of the agent on a node, with a token as its pod has it.
func AgentConfig(ctx context.Context, plane *controlplane.ControlPlane, node string) (*rest.Config, error) {
	return plane.ServiceAccountConfig(ctx, Namespace, Agent, node)
}

// WriteAgentKubeconfig writes a kubeconfig for AgentConfig(ctx, plane, node).
func WriteAgentKubeconfig(ctx context.Context, plane *controlplane.ControlPlane, path, node string) error {
	return plane.WriteServiceAccountKubeconfig(ctx, path, Namespace, Agent, node)
}

// WriteControllerKubeconfig writes a kubeconfig with a token of the controller's service account.
func WriteControllerKubeconfig(ctx context.Context, plane *controlplane.ControlPlane, path string) error {
	return plane.WriteServiceAccountKubeconfig(ctx, path, Namespace, Controller, "")
}
