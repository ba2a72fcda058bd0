package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// NodeSelector selects nodes by their labels, with the syntax of any Kubernetes label selector. It is a type of its own so that the
// API server rejects a wrong operator or label, before a node finds it.
// +kubebuilder:validation:XValidation:rule="!has(self.matchExpressions) || self.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum() <= 128",message="must not have more than 128 values in all its matchExpressions; give the nodes a label of their own and select by it"
type NodeSelector struct {
	// matchLabels are labels that a node must have.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && k.matches('^([0-9a-z]([0-9a-z-]*[0-9a-z])?([.][0-9a-z]([0-9a-z-]*[0-9a-z])?)*/)?[0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?$'))",message="a key must be that of a label, such as kubernetes.io/os: an optional DNS name and a slash, then at most 63 letters, digits, '.', '_' and '-'"
	MatchLabels map[string]LabelValue `json:"matchLabels,omitempty"`
	// matchExpressions are requirements that a node's labels must meet, all of them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	MatchExpressions []NodeSelectorRequirement `json:"matchExpressions,omitempty"`
}

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9A-Za-z]([0-9A-Za-z._-]*[0-9A-Za-z])?)?$')",message="must be the value of a label: at most 63 letters, digits, '.', '_' and '-', beginning and ending with a letter or digit"
type LabelValue string

// NodeSelectorRequirement is one requirement.
// +kubebuilder:validation:XValidation:rule="!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",message="the operators In and NotIn need values"
// +kubebuilder:validation:XValidation:rule="!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",message="the operators Exists and DoesNotExist must not have values"
type NodeSelectorRequirement struct {
	// key is the key of a label.
	// +required
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9a-z]([0-9a-z-]*[0-9a-z])?([.][0-9a-z]([0-9a-z-]*[0-9a-z])?)*/)?[0-9A-Za-z]([0-9A-Za-z._-]{0,61}[0-9A-Za-z])?$')",message="must be the key of a label, such as kubernetes.io/os: an optional DNS name and a slash, then at most 63 letters, digits, '.', '_' and '-'"
	Key string `json:"key"`
	// operator is In, NotIn, Exists or DoesNotExist.
	// +required
	// +kubebuilder:validation:Enum=In;NotIn;Exists;DoesNotExist
	Operator metav1.LabelSelectorOperator `json:"operator,omitempty"`
	// values are what In and NotIn compare the label's value with.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Values []LabelValue `json:"values,omitempty"`
}

// AsSelector converts the selector to the form that the Kubernetes libraries match with; nil selects everything. The API server
// rejects selectors that cannot be converted.
func (s *NodeSelector) AsSelector() (labels.Selector, error) {
	return metav1.LabelSelectorAsSelector(s.labelSelector())
}

func (s *NodeSelector) labelSelector() *metav1.LabelSelector {
	selector := &metav1.LabelSelector{}
	if s == nil {
		return selector
	}
	for key, value := range s.MatchLabels {
		metav1.AddLabelToSelector(selector, key, string(value))
	}
	for _, requirement := range s.MatchExpressions {
		converted := metav1.LabelSelectorRequirement{Key: requirement.Key, Operator: requirement.Operator}
		for _, value := range requirement.Values {
			converted.Values = append(converted.Values, string(value))
		}
		selector.MatchExpressions = append(selector.MatchExpressions, converted)
	}
	return selector
}
