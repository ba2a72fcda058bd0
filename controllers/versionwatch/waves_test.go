package versionwatch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
)

// tomorrow is the expiry of every certificate: nodes that have the same version report the same.
var tomorrow = metav1.NewTime(time.Now().Add(24 * time.Hour).Truncate(time.Second))

// report has an agent report that it has a version of a certificate, or why not.
func (w *world) report(node, name, version string, reason v1alpha1.Reason) {
	w.t.Helper()
	node = w.name + "-" + node
	var object corev1.Node
	w.must(w.kube.Get(w.t.Context(), client.ObjectKey{Name: node}, &object))
	uid, renewed := string(object.UID), metav1.NowMicro()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: node}}
	lease.Spec.HolderIdentity, lease.Spec.RenewTime = &uid, &renewed
	if err := w.kube.Create(w.t.Context(), lease); err != nil && !apierrors.IsAlreadyExists(err) {
		w.t.Fatal(err)
	}
	entry := v1alpha1.CertificateEntry{Name: w.name + "-" + name, Generation: w.get(name).Generation, Version: version, Thumbprint: "T" + version[:8], NotAfter: &tomorrow}
	if reason != "" {
		entry.State, entry.Reason = v1alpha1.StateFailed, reason
	}
	state := &v1alpha1.NodeCertificateState{}
	err := w.kube.Get(w.t.Context(), client.ObjectKey{Name: node}, state)
	missing := apierrors.IsNotFound(err)
	state.Name, state.NodeUID, state.AgentVersion, state.Certificates = node, uid, "test", []v1alpha1.CertificateEntry{entry}
	if missing {
		err = w.kube.Create(w.t.Context(), state)
	} else {
		err = w.kube.Update(w.t.Context(), state)
	}
	w.must(err)
}

// label sets a label of a node.
func (w *world) label(node, key, value string) {
	w.t.Helper()
	var object corev1.Node
	w.must(w.kube.Get(w.t.Context(), client.ObjectKey{Name: w.name + "-" + node}, &object))
	object.Labels[key] = value
	w.must(w.kube.Update(w.t.Context(), &object))
}

// events returns the reasons of the events about a certificate.
func (w *world) events(name string) []string {
	var list eventsv1.EventList
	w.must(w.kube.List(w.t.Context(), &list))
	var reasons []string
	for _, event := range list.Items {
		if event.Regarding.Name == w.name+"-"+name {
			reasons = append(reasons, event.Reason)
		}
	}
	slices.Sort(reasons)
	return reasons
}

// reaches waits until a roll-out is in a wave, and the condition RolloutHalted has a reason.
func (w *world) reaches(name string, wave int32, reason string) *v1alpha1.ObservedCertificate {
	w.t.Helper()
	return w.eventually(name, fmt.Sprintf("is in wave %d: %s", wave, reason), func(c *v1alpha1.ObservedCertificate) bool {
		halted := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionRolloutHalted)
		return c.Status.Rollout != nil && c.Status.Rollout.Wave == wave && halted != nil && halted.Reason == reason
	})
}

// staysInWave fails if another wave starts within a time.
func (w *world) staysInWave(name string, wave int32, long time.Duration) {
	w.t.Helper()
	err := wait.PollUntilContextTimeout(w.t.Context(), 100*time.Millisecond, long, true, func(context.Context) (bool, error) {
		return w.get(name).Status.Rollout.Wave != wave, nil
	})
	if err == nil {
		w.t.Errorf("%s is in wave %d, want it to stay in wave %d", name, w.get(name).Status.Rollout.Wave, wave)
	}
}

func inWaves(pause time.Duration) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.Rollout = &v1alpha1.Rollout{Waves: []v1alpha1.Wave{{
			NodeSelector: v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"ring": "canary"}},
			Pause:        &metav1.Duration{Duration: pause},
		}}}
	}
}

func TestARolloutInWavesStopsAtAFailureAndContinuesWhenItIsPromoted(t *testing.T) {
	w := newWorld(t, "waves")
	w.join("canary", "other")
	w.label("canary", "ring", "canary")
	w.put("web")
	w.observe("web", "web", inWaves(2*time.Second))
	first := w.vault.Versions("web")[0]
	w.publishes("web", first)
	w.report("canary", "web", first, "")
	w.report("other", "web", first, "")
	w.reaches("web", 2, "Completed")

	second := w.rotate("web")
	w.publishes("web", second)
	status := w.reaches("web", 1, "InProgress").Status
	waiting := func(f v1alpha1.NodeFailure) bool {
		return f.Node == "waves-other" && f.Reason == v1alpha1.ReasonWaitingForWave
	}
	if !slices.ContainsFunc(status.Failures, waiting) {
		w.eventually("web", "says which node waits", func(c *v1alpha1.ObservedCertificate) bool { return slices.ContainsFunc(c.Status.Failures, waiting) })
	}
	w.report("canary", "web", first, v1alpha1.ReasonKeyMismatch)
	halted := w.reaches("web", 1, string(v1alpha1.ReasonKeyMismatch))
	message := meta.FindStatusCondition(halted.Status.Conditions, v1alpha1.ConditionRolloutHalted).Message
	promotion := second + "/2"
	if !strings.Contains(message, v1alpha1.PromoteAnnotation+" to "+promotion) {
		t.Errorf("the condition does not say how to continue: %s", message)
	}
	w.staysInWave("web", 1, 3*time.Second) // longer than the pause

	w.stop() // and another controller takes over
	w.start()
	halted = w.get("web")
	metav1.SetMetaDataAnnotation(&halted.ObjectMeta, v1alpha1.PromoteAnnotation, promotion)
	w.must(w.kube.Update(t.Context(), halted))
	w.reaches("web", 2, "Completed")
	w.report("canary", "web", second, "")
	w.report("other", "web", second, "")
	w.eventually("web", "is installed", func(c *v1alpha1.ObservedCertificate) bool {
		return meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady)
	})

	third := w.rotate("web")
	w.publishes("web", third)
	w.report("canary", "web", third, "")
	w.reaches("web", 1, "Paused")
	w.reaches("web", 2, "Completed") // after the pause
	await.That(t, "the events tell it", func() (bool, error) {
		got := w.events("web")
		count := func(reason string) (count int) {
			for _, one := range got {
				if one == reason {
					count++
				}
			}
			return count
		}
		if count("RolloutHalted") != 1 || count("WaveStarted") < 4 {
			return false, fmt.Errorf("they are %v", got)
		}
		return true, nil
	})
}
