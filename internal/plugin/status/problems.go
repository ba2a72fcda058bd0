package status

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Problem is a reason, and the certificates that have it.
type Problem struct {
	// Reason is its name, Meaning and Action its row of docs/errors.md.
	Reason  v1alpha1.Reason `json:"reason"`
	Meaning string          `json:"meaning"`
	Action  string          `json:"action,omitempty"`
	// Certificates are in the order of their names.
	Certificates []Affected `json:"certificates"`
	level        terminal.Level
}

// Affected is a certificate with a problem.
type Affected struct {
	// Name is that of the ObservedCertificate.
	Name string `json:"name"`
	// Condition is the condition that says so, Message its message, which counts the nodes. It is given with the worst reason alone.
	Condition string `json:"condition"`
	Message   string `json:"message,omitempty"`
	// Nodes are some of the nodes with the reason, at most ten of a certificate.
	Nodes []v1alpha1.NodeFailure `json:"nodes,omitempty"`
}

// finding is one reason of one certificate.
type finding struct {
	reason   v1alpha1.Reason
	level    terminal.Level
	affected Affected
}

// problemsOf groups what is wrong by reason: first failed nodes, then warnings; within each, first what needs another spec, then what
// a person must act on, then what resolves itself; and more certificates before fewer.
func problemsOf(certificates []v1alpha1.ObservedCertificate) []Problem {
	problems := []Problem{}
	at := map[v1alpha1.Reason]int{}
	for i := range certificates {
		for _, f := range findingsOf(&certificates[i]) {
			index, known := at[f.reason]
			if !known {
				info := f.reason.Info()
				index, at[f.reason] = len(problems), len(problems)
				problems = append(problems, Problem{Reason: f.reason, Meaning: info.Meaning, Action: info.Action})
			}
			problems[index].level = max(problems[index].level, f.level)
			problems[index].Certificates = append(problems[index].Certificates, f.affected)
		}
	}
	for _, problem := range problems {
		slices.SortStableFunc(problem.Certificates, func(a, b Affected) int { return strings.Compare(a.Name, b.Name) })
	}
	slices.SortFunc(problems, bySeverity)
	return problems
}

// findingsOf returns what is wrong with a certificate. Nodes that are only not finished are no problem while none fails.
func findingsOf(c *v1alpha1.ObservedCertificate) []finding {
	var findings []finding
	add := func(condition string, level terminal.Level, reason v1alpha1.Reason) {
		message := ""
		if is := conditionOf(c, condition); is.Reason == string(reason) {
			message = truncate.Line(is.Message, maxLine)
		}
		findings = append(findings, finding{reason, level, Affected{c.Name, condition, message, nodesWith(c, reason)}})
	}
	ready := conditionOf(c, v1alpha1.ConditionReady)
	if ready.Status == metav1.ConditionFalse {
		add(v1alpha1.ConditionReady, terminal.Bad, v1alpha1.Reason(ready.Reason))
		for _, reason := range otherReasons(c, v1alpha1.Reason(ready.Reason)) {
			add(v1alpha1.ConditionReady, terminal.Bad, reason)
		}
	}
	if ready.Reason == string(v1alpha1.ReasonNoNodesSelected) && !c.Spec.Suspend {
		add(v1alpha1.ConditionReady, terminal.Unknown, v1alpha1.ReasonNoNodesSelected)
	}
	for _, name := range warnings {
		reason := v1alpha1.Reason(conditionOf(c, name).Reason)
		said := slices.ContainsFunc(findings, func(f finding) bool { return f.reason == reason })
		if isTrue(c, name) && !said {
			add(name, terminal.Warning, reason)
		}
	}
	return findings
}

// otherReasons returns the reasons of failed nodes besides the worst.
func otherReasons(c *v1alpha1.ObservedCertificate, worst v1alpha1.Reason) []v1alpha1.Reason {
	var reasons []v1alpha1.Reason
	for _, failure := range c.Status.Failures {
		if failure.Reason != worst && failure.Reason.Class() != v1alpha1.ClassNone && !slices.Contains(reasons, failure.Reason) {
			reasons = append(reasons, failure.Reason)
		}
	}
	return reasons
}

func nodesWith(c *v1alpha1.ObservedCertificate, reason v1alpha1.Reason) []v1alpha1.NodeFailure {
	var nodes []v1alpha1.NodeFailure
	for _, failure := range c.Status.Failures {
		if failure.Reason == reason {
			nodes = append(nodes, printable(failure))
		}
	}
	return nodes
}

// printable makes the texts of a failure safe to show.
func printable(failure v1alpha1.NodeFailure) v1alpha1.NodeFailure {
	failure.Node, failure.Message = truncate.Line(failure.Node, maxLine), truncate.Line(failure.Message, maxLine)
	failure.Reason = v1alpha1.Reason(truncate.Line(string(failure.Reason), maxLine))
	return failure
}

func bySeverity(a, b Problem) int {
	return cmp.Or(
		cmp.Compare(b.level, a.level),
		cmp.Compare(severity(a.Reason), severity(b.Reason)),
		cmp.Compare(len(b.Certificates), len(a.Certificates)),
		strings.Compare(string(a.Reason), string(b.Reason)),
	)
}

// severity is 0 for the worst class.
func severity(reason v1alpha1.Reason) int {
	return slices.Index([]v1alpha1.Class{v1alpha1.ClassTerminal, v1alpha1.ClassWaiting, v1alpha1.ClassTransient, v1alpha1.ClassNone}, reason.Class())
}
