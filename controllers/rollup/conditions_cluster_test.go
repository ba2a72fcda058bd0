package rollup_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
)

// unsynced is the entry of a node that has a certificate and whose polls fail.
func unsynced(entry v1alpha1.CertificateEntry, since time.Time) v1alpha1.CertificateEntry {
	began := metav1.NewTime(since)
	entry.Reason, entry.Message, entry.Since = v1alpha1.ReasonThrottled, "vault shop: 429 Too Many Requests", &began
	return entry
}

// condition waits until a condition has a status and a reason, and its message contains texts.
func (f *fleet) condition(name, want string, texts ...string) {
	f.t.Helper()
	await.That(f.t, name+" is "+want, func() (bool, error) {
		condition := meta.FindStatusCondition(f.get().Status.Conditions, name)
		if condition == nil {
			return false, fmt.Errorf("there is none")
		}
		if got := string(condition.Status) + " " + condition.Reason; got != want {
			return false, fmt.Errorf("it is %s", got)
		}
		for _, text := range texts {
			if !strings.Contains(condition.Message, text) {
				return false, fmt.Errorf("it says %q, without %q", condition.Message, text)
			}
		}
		return true, nil
	})
}

// A vault that throttles does not change Ready, kubectl wait returns immediately, and further attempts write nothing.
func TestFailingPollsDoNotChangeReady(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 3)
	f.observe()
	f.report(nodes, version(1))
	f.eventually("v1 3/3 True Installed")
	f.report(nodes[1:], unsynced(version(1), today))
	f.condition(v1alpha1.ConditionSyncFailing, "True Throttled", "2 of 3 nodes", "Throttled (2)", "429 Too Many Requests", nodes[1], nodes[2])
	settled := f.eventually("v1 3/3 True Installed")
	f.do(<-f.kubectlWait())
	if meta.IsStatusConditionTrue(settled.Status.Conditions, v1alpha1.ConditionReconciling) || meta.IsStatusConditionTrue(settled.Status.Conditions, v1alpha1.ConditionStalled) {
		t.Errorf("kstatus would not report Current: %+v", settled.Status.Conditions)
	}
	f.report(nodes[1:], unsynced(version(1), today.Add(time.Hour))) // the next attempt fails in the same way
	if after := f.quiet(settled); after.ResourceVersion != settled.ResourceVersion {
		t.Errorf("another attempt wrote the status: %+v, then %+v", settled.Status, after.Status)
	}
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "RolloutCompleted": 1, "Throttled": 1})
	output, err := f.plane.Kubectl("get", "nodecert", nodes[2], "--no-headers").CombinedOutput()
	f.do(err)
	if got := strings.Fields(string(output)); len(got) < 4 || got[1] != "1" || got[2] != "Throttled" || got[3] != f.name {
		t.Errorf("kubectl get nodecert prints %s", output)
	}
	f.report(nodes, version(1))
	f.condition(v1alpha1.ConditionSyncFailing, "False Synced")
}

// Near expiry, nodes whose polls fail are not ready.
func TestFailingPollsNearExpiry(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 2)
	f.observe()
	ending := version(1)
	end := metav1.NewTime(time.Now().Add(24*time.Hour + 5*time.Second).Truncate(time.Second)) // the window is a day
	ending.NotAfter = &end
	f.report(nodes[:1], ending)
	f.report(nodes[1:], unsynced(ending, today))
	f.eventually("v1 2/2 True Installed")
	certificate := f.eventually("v1 1/2 False Throttled") // by time alone
	if failures := certificate.Status.Failures; len(failures) != 1 || failures[0].Node != nodes[1] || !strings.Contains(failures[0].Message, "429") {
		t.Errorf("failures %+v", failures)
	}
}

func TestADeclinedLinkSetsACondition(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 2)
	f.observe(func(s *v1alpha1.ObservedCertificateSpec) { s.LinkOnRenewal = true })
	f.report(nodes, version(1))
	f.condition(v1alpha1.ConditionLinkDeclined, "False NoneDeclined")
	declined := version(1)
	declined.Reason, declined.Message = v1alpha1.ReasonLinkDeclined, "v0 has the name old.example, which v1 lacks"
	f.report(nodes[1:], declined)
	f.condition(v1alpha1.ConditionLinkDeclined, "True LinkDeclined", "1 of 2 nodes", nodes[1]+": v0 has the name old.example")
	f.eventually("v1 2/2 True Installed")
	f.condition(v1alpha1.ConditionSyncFailing, "False Synced")
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "RolloutCompleted": 1, "LinkDeclined": 1})
}

// A Lease says that the agent cannot write its report. The last report says that the certificate is installed.
func TestANodeWhoseReportIsUnwritten(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 2)
	f.observe()
	f.report(nodes, version(1))
	f.eventually("v1 2/2 True Installed")
	annotate := func(annotations map[string]string) {
		lease := &coordinationv1.Lease{}
		f.do(f.kube.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: nodes[0]}, lease))
		lease.Annotations = annotations
		f.do(f.kube.Update(t.Context(), lease))
	}
	annotate(map[string]string{"vaultpane.dev/report-unwritten-since": "2026-06-01T12:00:00Z"})
	certificate := f.eventually("v1 1/2 False AgentNotReporting")
	if message := certificate.Status.Failures[0].Message; !strings.Contains(message, "write its report since 2026-06-01T12:00:00Z") {
		t.Errorf("the message is %q", message)
	}
	annotate(nil)
	f.eventually("v1 2/2 True Installed")
}

// A typo in the selector does not count as success, and causes one event. The certificate is installed after the correction.
func TestASelectorTypo(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 1)
	f.observe(func(s *v1alpha1.ObservedCertificateSpec) {
		s.NodeSelector.MatchLabels = map[string]v1alpha1.LabelValue{"fleet": "typo"}
	})
	certificate := f.eventually("0/0 Unknown NoNodesSelected")
	ready := meta.FindStatusCondition(certificate.Status.Conditions, v1alpha1.ConditionReady)
	if !strings.HasPrefix(ready.Message, "no node matches spec.nodeSelector; ") || !strings.Contains(ready.Message, "the agent") {
		t.Errorf("the message of Ready is %q", ready.Message)
	}
	output, err := f.plane.Kubectl("wait", "--for=condition=Ready", "obscert/"+f.name, "--timeout=2s").CombinedOutput()
	if err == nil {
		t.Errorf("kubectl wait succeeds: %s", output)
	}
	f.eventuallyEvents(map[string]int{"NoNodesSelected": 1})
	await.That(t, "the selector is corrected", func() (bool, error) {
		certificate := f.get()
		certificate.Spec.NodeSelector.MatchLabels["fleet"] = v1alpha1.LabelValue(f.label())
		return true, f.kube.Update(context.WithoutCancel(t.Context()), certificate)
	})
	f.report(nodes, version(1))
	f.eventually("v1 1/1 True Installed")
}

// The columns in order.
func TestTheColumnsOfKubectlGet(t *testing.T) {
	f := newFleet(t, forTest(t))
	f.observe()
	for command, want := range map[string]string{
		"obscert " + f.name:             "NAME READY REASON NODES THUMBPRINT EXPIRES AGE",
		"obscert " + f.name + " -owide": "NAME READY REASON NODES THUMBPRINT EXPIRES AGE URL CONFIGMAP STORE VERSION LATEST",
	} {
		output, err := f.plane.Kubectl(append([]string{"get"}, strings.Fields(command)...)...).CombinedOutput()
		f.do(err)
		head, _, _ := strings.Cut(string(output), "\n")
		if got := strings.Join(strings.Fields(head), " "); got != want {
			t.Errorf("kubectl get %s shows %s, want %s", command, got, want)
		}
	}
	nodes := f.join(1, 1)
	f.report(nodes, failingWith(version(1), v1alpha1.ReasonAccessDenied))
	output, err := f.plane.Kubectl("get", "nodecert", nodes[0]).CombinedOutput()
	f.do(err)
	head, _, _ := strings.Cut(string(output), "\n")
	if got, want := strings.Join(strings.Fields(head), " "), "NAME FAILING REASON CERTIFICATE AGENT AGE"; got != want {
		t.Errorf("kubectl get nodecert shows %s, want %s", got, want)
	}
}

// The controller's cache holds only part of each object, and its writes must keep the rest.
func TestAStatusWriteKeepsTheRestOfTheObject(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 1)
	f.observe(func(spec *v1alpha1.ObservedCertificateSpec) { spec.Accounts = []string{"S-1-5-20"} })
	f.do(retry.RetryOnConflict(retry.DefaultBackoff, func() error { // the controller writes at the same time
		certificate := f.get()
		certificate.Annotations = map[string]string{"example.com/kept": "yes"}
		return f.kube.Update(t.Context(), certificate)
	}))
	f.report(nodes, version(1))
	written := f.eventually("v1 1/1 True Installed")
	if len(written.Spec.Accounts) != 1 || written.Annotations["example.com/kept"] != "yes" {
		t.Errorf("the spec has accounts %v and the object annotations %v", written.Spec.Accounts, written.Annotations)
	}
}
