package doctor

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// indexByName returns the index of a node, -1 if there is none.
func indexByName(nodes []corev1.Node, name string) int {
	return slices.IndexFunc(nodes, func(node corev1.Node) bool { return node.Name == name })
}

func keep[T any](all []T, wanted func(T) bool) []T {
	var kept []T
	for _, one := range all {
		if wanted(one) {
			kept = append(kept, one)
		}
	}
	return kept
}

func podOn(node string) func(corev1.Pod) bool {
	return func(pod corev1.Pod) bool { return pod.Spec.NodeName == node }
}

// eventAbout selects the events of a node and of the pods on it.
func eventAbout(node string, pods []corev1.Pod) func(corev1.Event) bool {
	return func(event corev1.Event) bool {
		about := event.InvolvedObject
		return about.Kind == "Node" && about.Name == node ||
			about.Kind == "Pod" && slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return pod.Name == about.Name })
	}
}
