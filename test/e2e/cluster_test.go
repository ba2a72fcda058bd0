package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// eventuallyReady waits until Ready has a status and a reason, and returns the whole status.
func (w *environment) eventuallyReady(t *testing.T, name string, status metav1.ConditionStatus, reason v1alpha1.Reason) v1alpha1.ObservedCertificateStatus {
	t.Helper()
	var certificate v1alpha1.ObservedCertificate
	await.That(t, name+" is Ready="+string(status)+" with reason "+string(reason), func() (bool, error) {
		if err := w.client.Get(t.Context(), client.ObjectKey{Name: name}, &certificate); err != nil {
			return false, err
		}
		ready := meta.FindStatusCondition(certificate.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Status == status && ready.Reason == string(reason), nil
	})
	return certificate.Status
}

func TestTheStatusSaysWhatTheNodeHasAndWhyNot(t *testing.T) {
	env.controllerRuns(t)
	first := env.put(t, "status", keyvault.CertificateOptions{})
	env.create(t, "status", env.shop.SecretURL("status"), nil)
	env.create(t, "status-missing", env.shop.SecretURL("there-is-none"), nil)
	status := env.eventuallyReady(t, "status", metav1.ConditionTrue, v1alpha1.ReasonInstalled)
	if status.Thumbprint != first || status.Nodes.Summary != "1/1" || status.NotAfter == nil {
		t.Errorf("thumbprint %s on %s until %v, want %s", status.Thumbprint, status.Nodes.Summary, status.NotAfter, first)
	}
	missing := env.eventuallyReady(t, "status-missing", metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	if len(missing.Failures) != 1 || missing.Failures[0].Node != nodeName || !strings.Contains(missing.Failures[0].Message, "there-is-none") {
		t.Errorf("failures %+v", missing.Failures)
	}
	second := env.rotate(t, "status")
	env.ask(t, "status")
	await.That(t, "the status names the new certificate", func() (bool, error) {
		var certificate v1alpha1.ObservedCertificate
		err := env.client.Get(t.Context(), client.ObjectKey{Name: "status"}, &certificate)
		return certificate.Status.Thumbprint == second && certificate.Status.Nodes.Summary == "1/1", err
	})
}

func TestANodeWaitsForItsFirstCertificates(t *testing.T) {
	env.controllerRuns(t)
	env.create(t, "initial", env.shop.SecretURL("initial"), func(spec *v1alpha1.ObservedCertificateSpec) { spec.RequireInitialSync = true })
	env.eventuallyReady(t, "initial", metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	env.taint(t)
	status := env.eventuallyMessage(t, "initial", "the startup taint keeps pods off 1 node until then")
	if tainted, err := env.tainted(t); err != nil || !tainted {
		t.Errorf("the taint is off before the certificate is there: %v %+v", err, status)
	}
	env.put(t, "initial", keyvault.CertificateOptions{})
	env.ask(t, "initial")
	await.That(t, "the taint is off", func() (bool, error) {
		tainted, err := env.tainted(t)
		return !tainted, err
	})
	env.eventuallyReady(t, "initial", metav1.ConditionTrue, v1alpha1.ReasonInstalled)
}

// taint adds the startup taint to the node, and another taint, which must stay.
func (w *environment) taint(t *testing.T) {
	t.Helper()
	w.changeNode(t, func(node *corev1.Node) {
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: v1alpha1.StartupTaintKey, Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: "example.com/other", Effect: corev1.TaintEffectNoSchedule})
	})
	t.Cleanup(func() {
		w.changeNode(t, func(node *corev1.Node) {
			others := len(node.Spec.Taints)
			node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == "example.com/other" })
			if len(node.Spec.Taints) != others-1 {
				t.Errorf("the other taint is gone: %+v", node.Spec.Taints)
			}
		})
	})
}

// changeNode also works in a clean-up, when the test's own context has ended.
func (w *environment) changeNode(t *testing.T, change func(*corev1.Node)) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var node corev1.Node
		if err := w.client.Get(context.Background(), client.ObjectKey{Name: nodeName}, &node); err != nil {
			return err
		}
		change(&node)
		return w.client.Update(context.Background(), &node)
	})
	if err != nil {
		t.Error(err)
	}
}

func (w *environment) tainted(t *testing.T) (bool, error) {
	t.Helper()
	var node corev1.Node
	err := w.client.Get(t.Context(), client.ObjectKey{Name: nodeName}, &node)
	for _, taint := range node.Spec.Taints {
		if taint.Key == v1alpha1.StartupTaintKey {
			return true, err
		}
	}
	return false, err
}

// eventuallyMessage waits until Ready's message says something.
func (w *environment) eventuallyMessage(t *testing.T, name, says string) v1alpha1.ObservedCertificateStatus {
	t.Helper()
	var certificate v1alpha1.ObservedCertificate
	await.That(t, name+" says "+says, func() (bool, error) {
		if err := w.client.Get(t.Context(), client.ObjectKey{Name: name}, &certificate); err != nil {
			return false, err
		}
		ready := meta.FindStatusCondition(certificate.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && strings.Contains(ready.Message, says), nil
	})
	return certificate.Status
}

// controllerRuns starts the controller again if it ended, as kubelet does: it ends when the API server is away and it can
// lead no more.
func (w *environment) controllerRuns(t *testing.T) {
	t.Helper()
	if w.controller.Running() {
		return
	}
	var err error
	if w.controller, err = w.startController(t.Context()); err != nil {
		t.Fatal(err)
	}
}
