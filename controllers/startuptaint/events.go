package startuptaint

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
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

// maxNamed is how many certificates an event names.
const maxNamed = 5

// reason returns the event's reason for a wait that is not done.
func (w wait) reason() string {
	switch {
	case w.refused != "":
		return EventRefused
	case w.noReport:
		return EventWaitingForAgent
	}
	return EventWaitingForCertificates
}

// key identifies a wait by what is missing and why, without messages, which may contain numbers and times.
func (w wait) key() string {
	var key strings.Builder
	fmt.Fprint(&key, w.reason(), w.noAgent, !w.unwritten.IsZero())
	for _, m := range w.certificates {
		fmt.Fprint(&key, " ", m.name, "=", m.reason)
	}
	return key.String()
}

// String describes what the node waits for.
func (w wait) String() string {
	switch {
	case w.refused != "":
		return w.refused
	case !w.unwritten.IsZero():
		return fmt.Sprintf("a report of this node's agent, which has not been able to write one since %s: check the error in its log, and that its service account may create and update NodeCertificateStates", w.unwritten.UTC().Format(time.RFC3339))
	case w.noAgent:
		return "the first report of an agent, but no agent runs on nodes with these labels: set the taint only on nodes that run the agent, or change the agent's node selector"
	case w.noReport:
		return "the first report of this node's agent; if this persists, check the agent's pod on the node"
	}
	var parts []string
	for i, m := range w.certificates {
		if i == maxNamed {
			parts = append(parts, fmt.Sprintf("and %d more", len(w.certificates)-maxNamed))
			break
		}
		part := fmt.Sprintf("ObservedCertificate %s (%s", m.name, m.reason)
		if m.message != "" {
			part += ": " + m.message
		}
		parts = append(parts, part+")")
	}
	return strings.Join(parts, ", ")
}

func (r *Reconciler) emitRemoved(node *corev1.Node, waited time.Duration) {
	r.Events.Eventf(node, nil, corev1.EventTypeNormal, EventRemoved, "RemoveStartupTaint",
		"removed the startup taint %s after the node was created", waited.Round(time.Second))
}

// emitWaiting writes the event about what a node waits for. The recorder merges events that differ only in their note, and keeps
// the first note. Therefore the action is the reason of the first certificate, which is also the related object.
func (r *Reconciler) emitWaiting(node *corev1.Node, waiting wait) {
	kind := corev1.EventTypeNormal
	if waiting.needsAction() {
		kind = corev1.EventTypeWarning
	}
	action := string(v1alpha1.ReasonAgentNotReporting)
	var related runtime.Object
	if len(waiting.certificates) > 0 {
		worst := waiting.certificates[0]
		action = string(worst.reason)
		related = &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: worst.name}}
	}
	text := "the startup taint remains: the node waits for " + waiting.String()
	if waiting.refused != "" {
		action, text = "RemoveStartupTaint", "the startup taint remains although the node is ready: "+waiting.refused
	}
	r.Events.Eventf(node, related, kind, waiting.reason(), action, "%s", truncate.Cut(text, truncate.EventNote))
}
