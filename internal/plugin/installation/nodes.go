package installation

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// RunsAgent reports whether the agents' DaemonSets select a node, by its labels. Taints are left out: the chart's agents tolerate all.
func (i Installation) RunsAgent(node labels.Set) bool {
	return slices.ContainsFunc(i.Agents, func(set appsv1.DaemonSet) bool { return selects(&set.Spec.Template.Spec, node) })
}

// selects reports whether a pod may be scheduled to a node with these labels.
func selects(pod *corev1.PodSpec, node labels.Set) bool {
	if !labels.SelectorFromSet(pod.NodeSelector).Matches(node) {
		return false
	}
	if pod.Affinity == nil || pod.Affinity.NodeAffinity == nil || pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return true
	}
	terms := pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	return slices.ContainsFunc(terms, func(term corev1.NodeSelectorTerm) bool { return matches(term, node) })
}

// matches reports whether labels meet all requirements of a term. Requirements on fields, which name single nodes, count as met.
func matches(term corev1.NodeSelectorTerm, node labels.Set) bool {
	for _, expression := range term.MatchExpressions {
		operator, known := operators[expression.Operator]
		if !known {
			return false
		}
		requirement, err := labels.NewRequirement(expression.Key, operator, expression.Values)
		if err != nil || !requirement.Matches(node) {
			return false
		}
	}
	return len(term.MatchExpressions)+len(term.MatchFields) > 0
}

var operators = map[corev1.NodeSelectorOperator]selection.Operator{
	corev1.NodeSelectorOpIn: selection.In, corev1.NodeSelectorOpNotIn: selection.NotIn,
	corev1.NodeSelectorOpExists: selection.Exists, corev1.NodeSelectorOpDoesNotExist: selection.DoesNotExist,
	corev1.NodeSelectorOpGt: selection.GreaterThan, corev1.NodeSelectorOpLt: selection.LessThan,
}
