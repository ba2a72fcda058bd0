package rollup_test

import (
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
)

// kubectlWait is `kubectl wait --for=condition=Ready` in the background.
func (f *fleet) kubectlWait() <-chan error {
	ended := make(chan error, 1)
	go func() {
		output, err := f.plane.Kubectl("wait", "--for=condition=Ready", "obscert/"+f.name, "--timeout="+await.Limit.String()).CombinedOutput()
		if err != nil {
			err = &exec.Error{Name: string(output), Err: err}
		}
		ended <- err
	}()
	return ended
}

// stillWaits fails if kubectl has returned: Ready was True too early.
func (f *fleet) stillWaits(wait <-chan error, when string) {
	f.t.Helper()
	select {
	case err := <-wait:
		f.t.Fatalf("kubectl wait returned %s: %v", when, err)
	case <-time.After(time.Second):
	}
}

func TestACertificateFromCreationToTheDeletionOfANode(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 3)
	f.observe()
	wait := f.kubectlWait()
	f.eventually("0/3 Unknown RollingOut")
	f.report(nodes[:2], version(1))
	f.eventually("v1 2/3 Unknown RollingOut")
	f.stillWaits(wait, "with two of three nodes")
	f.report(nodes[2:], version(1))
	f.do(<-wait)
	f.eventually("v1 3/3 True Installed")

	certificate := f.get() // another spec
	certificate.Spec.PollingIntervalInS = 60
	f.do(f.kube.Update(t.Context(), certificate))
	wait = f.kubectlWait()
	f.eventually("v1 0/3 Unknown RollingOut")
	f.report(nodes[:2], version(1))
	f.stillWaits(wait, "before the third node has processed the new spec")
	f.report(nodes[2:], version(1))
	f.do(<-wait)

	f.join(4, 5) // scale-out
	f.eventually("v1 3/5 Unknown RollingOut")
	wait = f.kubectlWait()
	f.stillWaits(wait, "before the new nodes have it")
	f.report([]string{f.node(4), f.node(5)}, version(1))
	f.do(<-wait)

	f.report(nodes[:1], failingWith(version(1), v1alpha1.ReasonAccessDenied))
	f.eventually("v1 4/5 False AccessDenied")
	f.do(f.kube.Delete(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodes[0]}})) // which removes the failure
	f.eventually("v1 4/4 True Installed")
	f.gone(nodes[0])
}

// gone waits until the state of a deleted node is deleted. This cluster has no garbage collector.
func (f *fleet) gone(node string) {
	f.t.Helper()
	await.That(f.t, "the state of node "+node+" is deleted", func() (bool, error) {
		err := f.kube.Get(f.t.Context(), types.NamespacedName{Name: node}, &v1alpha1.NodeCertificateState{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}

func TestARotationDuringARotation(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 6)
	f.observe()
	f.report(nodes, version(1))
	f.eventually("v1 6/6 True Installed")
	f.report(nodes[:3], version(2))
	f.eventually("v2 3/6 Unknown RollingOut")
	f.report(nodes[:1], version(3))
	f.eventually("v3 1/6 Unknown RollingOut")
	f.report(nodes[3:], version(3)) // never had the second version
	f.eventually("v3 4/6 Unknown RollingOut")
	f.report(nodes[1:3], version(3))
	certificate := f.eventually("v3 6/6 True Installed")
	if certificate.Status.Thumbprint != "T3" || certificate.Status.NotAfter == nil {
		t.Errorf("thumbprint %s, not after %v", certificate.Status.Thumbprint, certificate.Status.NotAfter)
	}
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "RolloutCompleted": 1})
}

// eventuallyEvents waits for events, which are written after the status. On a busy machine, the controller can learn of a certificate
// before it learns of nodes that were created a moment earlier; the event about that is not compared unless it is expected.
func (f *fleet) eventuallyEvents(want map[string]int) {
	f.t.Helper()
	await.That(f.t, fmt.Sprintf("the events are %v", want), func() (bool, error) {
		got := f.events()
		if _, expected := want[string(v1alpha1.ReasonNoNodesSelected)]; !expected {
			delete(got, string(v1alpha1.ReasonNoNodesSelected))
		}
		if !maps.Equal(got, want) {
			return false, fmt.Errorf("they are %v", got)
		}
		return true, nil
	})
}

func TestKubectlGetPrintsTheStatusInOneLine(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 5)
	f.observe()
	f.report(nodes[:3], version(1))
	f.report(nodes[3:], failingWith(version(1), v1alpha1.ReasonAccessDenied))
	certificate := f.eventually("v1 3/5 False AccessDenied")
	output, err := f.plane.Kubectl("get", "obscert", f.name, "-o", "wide").CombinedOutput()
	f.do(err)
	_, row, _ := strings.Cut(string(output), "\n")
	for _, word := range []string{"False", "3/5", "T1", "AccessDenied", "v1", "MY", "https://shop.vault.azure.net/secrets/web"} {
		if !strings.Contains(row, word) {
			t.Errorf("kubectl get does not print %s:\n%s", word, output)
		}
	}
	output, err = f.plane.Kubectl("get", "nodecert", nodes[0], nodes[4], "--no-headers").CombinedOutput()
	f.do(err)
	healthy, failing, _ := strings.Cut(string(output), "\n")
	if got := strings.Fields(failing); len(got) < 4 || got[1] != "1" || got[2] != "AccessDenied" || got[3] != f.name || strings.Contains(healthy, "Denied") {
		t.Errorf("kubectl get does not name the failing certificate of a node:\n%s", output)
	}
	if len(certificate.Status.Failures) != 2 || certificate.Status.Failures[0].Node != nodes[3] || !strings.Contains(certificate.Status.Failures[0].Message, "secret web") {
		t.Errorf("failures %+v", certificate.Status.Failures)
	}
}

func TestACertificateThatSelectsNoNode(t *testing.T) {
	f := newFleet(t, forTest(t))
	f.observe()
	f.eventually("0/0 Unknown NoNodesSelected")
	f.stillWaits(f.kubectlWait(), "with a selector that matches no node")
}

// The status is repaired after another client changes it, and not written while it is correct.
func TestConflictingWrites(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 2)
	f.observe()
	f.report(nodes, version(1))
	f.eventually("v1 2/2 True Installed")
	for range 20 {
		certificate := f.get()
		certificate.Annotations = map[string]string{"seen-by": time.Now().String()} // another writer of the object
		if err := f.kube.Update(t.Context(), certificate); err != nil && !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
		certificate = f.get()
		certificate.Status.Version, certificate.Status.Nodes = "wrong", nil
		if err := f.kube.Status().Update(t.Context(), certificate); err != nil && !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
	}
	settled := f.eventually("v1 2/2 True Installed")
	f.report(nodes, version(1)) // writes that change nothing
	after := f.quiet(settled)
	if after.ResourceVersion != settled.ResourceVersion {
		t.Errorf("the status was written although nothing changed: %+v, then %+v", settled.Status, after.Status)
	}
}

// quiet returns the certificate after a time in which an unnecessary write would have happened.
func (f *fleet) quiet(before *v1alpha1.ObservedCertificate) *v1alpha1.ObservedCertificate {
	f.t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		certificate := f.get()
		if certificate.ResourceVersion != before.ResourceVersion {
			return certificate
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-deadline:
			return certificate
		}
	}
}
