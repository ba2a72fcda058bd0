// Package ready decides for kubectl vaultpane wait whether a certificate is ready, or cannot become ready.
package ready

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Verdict is whether a certificate is ready.
type Verdict struct {
	// Ready is set when every selected node has the certificate as the current spec asks for it.
	Ready bool
	// Impossible is set when waiting does not help: the spec must change, or the certificate is suspended or was deleted.
	Impossible bool
	// Text says why it is so.
	Text string
}

// maxLine bounds a message, in characters.
const maxLine = 2048

// Of reads the conditions of a certificate, nil if it was deleted.
func Of(c *v1alpha1.ObservedCertificate) Verdict {
	if c == nil {
		return Verdict{Impossible: true, Text: "it was deleted"}
	}
	ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || c.Status.ObservedGeneration != c.Generation {
		return Verdict{Text: fmt.Sprintf("the controller has not processed generation %d of the spec yet; if this lasts, 'kubectl vaultpane doctor' says why", c.Generation)}
	}
	text := ready.Reason + ": " + truncate.Line(ready.Message, maxLine)
	switch {
	case ready.Status == metav1.ConditionTrue:
		return Verdict{Ready: true, Text: text}
	case meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionStalled):
		return Verdict{Impossible: true, Text: text + firstMessage(c, v1alpha1.Reason(ready.Reason)) + "; the spec must change"}
	case c.Spec.Suspend:
		return Verdict{Impossible: true, Text: text + fmt.Sprintf("; 'kubectl vaultpane resume %s' ends the suspension", c.Name)}
	}
	return Verdict{Text: text}
}

// firstMessage is what the first node says about a reason.
func firstMessage(c *v1alpha1.ObservedCertificate, reason v1alpha1.Reason) string {
	for _, failure := range c.Status.Failures {
		if failure.Reason == reason && failure.Message != "" {
			return fmt.Sprintf("; on %s: %s", truncate.Line(failure.Node, maxLine), truncate.Line(failure.Message, maxLine))
		}
	}
	return ""
}
