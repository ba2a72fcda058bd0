package report_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/suite"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute) // for a busy machine
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// cluster is a real API server with the CRDs.
func cluster(t *testing.T) (*controlplane.ControlPlane, client.Client) {
	t.Helper()
	plane := controlplane.ForTest(t)
	if err := plane.InstallCRDs(t.Context(), "../../../config/crd"); err != nil {
		t.Fatal(err)
	}
	kube, err := client.New(plane.Config(), client.Options{Scheme: suite.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return plane, kube
}

func newNode(t *testing.T, kube client.Client, name string) *corev1.Node {
	t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := kube.Create(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	return node
}

func newReporter(t *testing.T, kube client.Client, node *corev1.Node) (*report.Reporter, map[string]v1alpha1.CertificateEntry) {
	t.Helper()
	reporter := &report.Reporter{Client: kube, Node: node.Name, NodeUID: node.UID, AgentVersion: "v1", Now: time.Now}
	previous, err := reporter.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() { _ = reporter.Start(ctx) }()
	return reporter, previous
}

func stateOf(t *testing.T, kube client.Client, name string) *v1alpha1.NodeCertificateState {
	t.Helper()
	var state v1alpha1.NodeCertificateState
	err := kube.Get(t.Context(), types.NamespacedName{Name: name}, &state)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return &state
}

func TestReporter(t *testing.T) {
	plane, kube := cluster(t)
	node := newNode(t, kube, "node-1")
	reporter, previous := newReporter(t, kube, node)
	if len(previous) != 0 {
		t.Fatalf("a new node remembers %v", previous)
	}

	t.Run("a thousand changes are a write or two", func(t *testing.T) {
		for i := range 1000 {
			reporter.Set(v1alpha1.CertificateEntry{Name: fmt.Sprintf("c-%04d", i), Generation: 1, Thumbprint: "AA"})
		}
		eventually(t, "all entries", func() bool {
			state := stateOf(t, kube, node.Name)
			return state != nil && len(state.Certificates) == 1000
		})
		if state := stateOf(t, kube, node.Name); state.Generation > 2 {
			t.Errorf("it took %d writes", state.Generation)
		}
	})
	t.Run("the object belongs to its node and is sorted", func(t *testing.T) {
		state := stateOf(t, kube, node.Name)
		if len(state.OwnerReferences) != 1 || state.OwnerReferences[0].UID != node.UID || state.NodeUID != string(node.UID) {
			t.Errorf("owner %v, node UID %s, want %s", state.OwnerReferences, state.NodeUID, node.UID)
		}
		if state.Certificates[0].Name != "c-0000" || state.Certificates[999].Name != "c-0999" {
			t.Errorf("first %s, last %s", state.Certificates[0].Name, state.Certificates[999].Name)
		}
	})
	t.Run("nothing is written when nothing differs", func(t *testing.T) {
		before := stateOf(t, kube, node.Name).ResourceVersion
		for i := range 1000 {
			reporter.Set(v1alpha1.CertificateEntry{Name: fmt.Sprintf("c-%04d", i), Generation: 1, Thumbprint: "AA"})
		}
		reporter.Set(v1alpha1.CertificateEntry{Name: "marker", Generation: 1})
		eventually(t, "the marker", func() bool { return len(stateOf(t, kube, node.Name).Certificates) == 1001 })
		reporter.Drop("marker")
		eventually(t, "the marker to go", func() bool { return len(stateOf(t, kube, node.Name).Certificates) == 1000 })
		if state := stateOf(t, kube, node.Name); state.Generation > 4 {
			t.Errorf("resource version %s became %s in %d writes", before, state.ResourceVersion, state.Generation)
		}
	})
	t.Run("since stays while a state lasts", func(t *testing.T) {
		failed := v1alpha1.CertificateEntry{Name: "c-0000", Generation: 1, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonAccessDenied, Message: "first"}
		reporter.Set(failed)
		eventually(t, "the failure", func() bool { return stateOf(t, kube, node.Name).Certificates[0].Message == "first" })
		since := stateOf(t, kube, node.Name).Certificates[0].Since
		failed.Message = "second"
		reporter.Set(failed)
		eventually(t, "the second message", func() bool { return stateOf(t, kube, node.Name).Certificates[0].Message == "second" })
		if again := stateOf(t, kube, node.Name).Certificates[0].Since; since == nil || !since.Equal(again) {
			t.Errorf("since %v became %v", since, again)
		}
	})
	t.Run("a deleted object comes back at the next check", func(t *testing.T) {
		if err := kube.Delete(t.Context(), stateOf(t, kube, node.Name)); err != nil {
			t.Fatal(err)
		}
		if err := reporter.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the object", func() bool { return stateOf(t, kube, node.Name) != nil })
	})
	t.Run("what changed while the API server was away is written when it is back", func(t *testing.T) {
		if err := plane.StopAPIServer(); err != nil {
			t.Fatal(err)
		}
		reporter.Set(v1alpha1.CertificateEntry{Name: "c-0001", Generation: 2, Thumbprint: "BB"})
		<-time.After(2 * time.Second) // time for a write to fail
		if err := plane.StartAPIServer(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the change", func() bool { return stateOf(t, kube, node.Name).Certificates[1].Thumbprint == "BB" })
	})
	t.Run("a Node that is created again takes over the report", func(t *testing.T) {
		for _, uid := range []types.UID{"recreated", node.UID} {
			reporter.Adopt(uid)
			eventually(t, "the owner "+string(uid), func() bool {
				state := stateOf(t, kube, node.Name)
				return state != nil && state.NodeUID == string(uid) && state.OwnerReferences[0].UID == uid && len(state.Certificates) == 1000
			})
		}
	})
	t.Run("a restarted agent knows what it reported", func(t *testing.T) {
		_, previous := newReporter(t, kube, node)
		if previous["c-0001"].Thumbprint != "BB" {
			t.Errorf("got %+v", previous["c-0001"])
		}
	})
	t.Run("an earlier node of the same name is forgotten", func(t *testing.T) {
		if err := kube.Delete(t.Context(), node); err != nil {
			t.Fatal(err)
		}
		again := newNode(t, kube, node.Name)
		_, previous := newReporter(t, kube, again)
		if len(previous) != 0 {
			t.Errorf("the new node remembers %d certificates of the old one", len(previous))
		}
		eventually(t, "the new owner", func() bool {
			state := stateOf(t, kube, node.Name)
			return state.NodeUID == string(again.UID) && state.OwnerReferences[0].UID == again.UID && len(state.Certificates) == 0
		})
	})
}

func TestLease(t *testing.T) {
	_, kube := cluster(t)
	node := newNode(t, kube, "node-1")
	if err := kube.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "vaultpane-system"}}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	lease := &report.Lease{Client: kube, Namespace: "vaultpane-system", Node: node.Name, NodeUID: node.UID, Now: func() time.Time { return now }}
	if last, err := lease.LastRenewal(t.Context()); err != nil || !last.IsZero() {
		t.Fatalf("before the first renewal: %v, error %v", last, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = lease.Start(ctx) }()
	eventually(t, "the first renewal", func() bool {
		last, err := lease.LastRenewal(t.Context())
		return err == nil && last.Sub(now).Abs() < time.Millisecond
	})
	var stored coordinationv1.Lease
	if err := kube.Get(t.Context(), types.NamespacedName{Namespace: "vaultpane-system", Name: node.Name}, &stored); err != nil {
		t.Fatal(err)
	}
	if *stored.Spec.LeaseDurationSeconds != 900 || stored.OwnerReferences[0].UID != node.UID {
		t.Errorf("lease lasts %d s and belongs to %v", *stored.Spec.LeaseDurationSeconds, stored.OwnerReferences)
	}
	lease.Adopt("recreated")
	if last, err := lease.LastRenewal(t.Context()); err != nil || !last.IsZero() {
		t.Errorf("a Node that was created again takes over the old one's time %v, error %v", last, err)
	}
	other := &report.Lease{Client: kube, Namespace: "vaultpane-system", Node: node.Name, NodeUID: "another-uid", Now: lease.Now}
	if last, err := other.LastRenewal(t.Context()); err != nil || !last.IsZero() {
		t.Errorf("a new node of the same name takes over the old one's time %v, error %v", last, err)
	}
}
