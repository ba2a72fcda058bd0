package startuptaint

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/startupwait"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Reasons of events on Nodes.
const (
	// EventRemoved: the taint was removed, so pods can be scheduled. Normal.
	EventRemoved = "StartupTaintRemoved"
	// EventWaitingForAgent: no agent has reported for this very node yet. Normal, or a warning if no agent runs there.
	EventWaitingForAgent = "WaitingForAgent"
	// EventWaitingForCertificates: certificates with requireInitialSync are not installed yet. Normal, or a warning if a
	// person must act. The note names certificate, reason and message.
	EventWaitingForCertificates = "WaitingForCertificates"
	// EventRefused: the node is ready, but the API server refused to remove the taint. Warning; retried with backoff.
	EventRefused = "StartupTaintRemovalRefused"
)

// reasonOf returns the event's reason for a wait that is not done.
func reasonOf(w startupwait.Wait) string {
	switch {
	case w.Refused != "":
		return EventRefused
	case w.NoReport:
		return EventWaitingForAgent
	}
	return EventWaitingForCertificates
}

// keyOf identifies a wait by what is missing and why, without messages, which may contain numbers and times.
func keyOf(w startupwait.Wait) string {
	var key strings.Builder
	fmt.Fprint(&key, reasonOf(w), w.NoAgent, !w.Unwritten.IsZero())
	for _, m := range w.Certificates {
		fmt.Fprint(&key, " ", m.Name, "=", m.Reason)
	}
	return key.String()
}

func (r *Reconciler) emitRemoved(node *corev1.Node, waited time.Duration) {
	r.Events.Eventf(node, nil, corev1.EventTypeNormal, EventRemoved, "RemoveStartupTaint",
		"removed the startup taint %s after the node was created", waited.Round(time.Second))
}

// emitWaiting writes the event about what a node waits for. The recorder merges events that differ only in their note, and keeps
// the first note. Therefore the action is the reason of the first certificate, which is also the related object.
func (r *Reconciler) emitWaiting(node *corev1.Node, waiting startupwait.Wait) {
	kind := corev1.EventTypeNormal
	if waiting.NeedsAction() {
		kind = corev1.EventTypeWarning
	}
	action := string(v1alpha1.ReasonAgentNotReporting)
	var related runtime.Object
	if len(waiting.Certificates) > 0 {
		worst := waiting.Certificates[0]
		action = string(worst.Reason)
		related = &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: worst.Name}}
	}
	text := "the startup taint remains: the node waits for " + waiting.String()
	if waiting.Refused != "" {
		action, text = "RemoveStartupTaint", "the startup taint remains although the node is ready: "+waiting.Refused
	}
	r.Events.Eventf(node, related, kind, reasonOf(waiting), action, "%s", truncate.Cut(text, truncate.EventNote))
}
