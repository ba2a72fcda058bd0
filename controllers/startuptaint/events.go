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
	// EventRemoved: the taint was removed, pods may come. Normal.
	EventRemoved = "StartupTaintRemoved"
	// EventWaitingForAgent: no agent has reported for this very node yet. Normal, or a warning where none runs.
	EventWaitingForAgent = "WaitingForAgent"
	// EventWaitingForCertificates: certificates with requireInitialSync are not installed yet. Normal, or a warning when
	// someone must act; the note names certificate, reason and message.
	EventWaitingForCertificates = "WaitingForCertificates"
	// EventRefused: the node is ready, but the API server does not let the taint go. A warning; tried again with backoff.
	EventRefused = "StartupTaintRemovalRefused"
)

// named is how many certificates an event names.
const named = 5

// reason returns the event's reason for a wait that is not over.
func (w wait) reason() string {
	switch {
	case w.refused != "":
		return EventRefused
	case w.agent:
		return EventWaitingForAgent
	}
	return EventWaitingForCertificates
}

// key tells one wait from another: what is missing and why, without messages, which may hold numbers and times.
func (w wait) key() string {
	var key strings.Builder
	fmt.Fprint(&key, w.reason(), w.agentless, !w.unwritten.IsZero())
	for _, lack := range w.certificates {
		fmt.Fprint(&key, " ", lack.name, "=", lack.reason)
	}
	return key.String()
}

// String says what is waited for, for people.
func (w wait) String() string {
	switch {
	case w.refused != "":
		return w.refused
	case !w.unwritten.IsZero():
		return fmt.Sprintf("a report of this node's agent, which has not been able to write one since %s: look at the error in its log, and whether its service account may create and update NodeCertificateStates", w.unwritten.UTC().Format(time.RFC3339))
	case w.agentless:
		return "the first report of an agent, but no agent runs on nodes with these labels: put the taint on Windows nodes with an agent only, or change the agent's node selector"
	case w.agent:
		return "the first report of this node's agent; if that lasts, look at the agent's pod on it"
	}
	var parts []string
	for i, lack := range w.certificates {
		if i == named {
			parts = append(parts, fmt.Sprintf("and %d more", len(w.certificates)-named))
			break
		}
		part := fmt.Sprintf("ObservedCertificate %s (%s", lack.name, lack.reason)
		if lack.message != "" {
			part += ": " + lack.message
		}
		parts = append(parts, part+")")
	}
	return strings.Join(parts, ", ")
}

func (r *Reconciler) sayRemoved(node *corev1.Node, waited time.Duration) {
	r.Events.Eventf(node, nil, corev1.EventTypeNormal, EventRemoved, "RemoveStartupTaint",
		"removed the startup taint %s after the node was created", waited.Round(time.Second))
}

// sayWaiting writes the event on what a node waits for. The recorder counts events as one when they differ in nothing but
// their note, and keeps the first note: so the action is what is the matter with the first certificate, which is also named
// as the related object.
func (r *Reconciler) sayWaiting(node *corev1.Node, waiting wait) {
	kind := corev1.EventTypeNormal
	if waiting.failed() {
		kind = corev1.EventTypeWarning
	}
	action := string(v1alpha1.ReasonAgentNotReporting)
	var related runtime.Object
	if len(waiting.certificates) > 0 {
		worst := waiting.certificates[0]
		action = string(worst.reason)
		related = &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: worst.name}}
	}
	text := "the startup taint stays: the node waits for " + waiting.String()
	if waiting.refused != "" {
		action, text = "RemoveStartupTaint", "the startup taint stays although the node is ready: "+waiting.refused
	}
	r.Events.Eventf(node, related, kind, waiting.reason(), action, "%s", truncate.Cut(text, truncate.EventNote))
}
