package support

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
)

// Bounds of the logs. A fleet has thousands of agents.
const (
	mostPods  = 20
	mostLines = 5000
	mostBytes = 2 << 20
)

// logs reads the logs of the controller's pods, and of some agents: those with trouble first.
func (c *Collector) logs(ctx context.Context) (files []File, missing []Missing) {
	var pods []corev1.Pod
	err := cluster.List(ctx, c.Cluster, cluster.Pods, c.Namespace, metav1.ListOptions{LabelSelector: installation.Selector}, func(pod *corev1.Pod) error {
		pods = append(pods, *pod)
		return nil
	})
	if err != nil {
		return nil, nil // said of the pods themselves
	}
	slices.SortStableFunc(pods, func(a, b corev1.Pod) int {
		return cmp.Or(cmp.Compare(importance(&a), importance(&b)), cmp.Compare(a.Name, b.Name))
	})
	for _, pod := range pods[:min(len(pods), mostPods)] {
		more, without := c.logsOf(ctx, &pod)
		files, missing = append(files, more...), append(missing, without...)
	}
	if rest := len(pods) - mostPods; rest > 0 {
		missing = append(missing, Missing{fmt.Sprintf("logs of %d more pods", rest), fmt.Errorf("the logs of %d pods are enough for most reports", mostPods)})
	}
	return files, missing
}

// importance is 0 for the controller, 1 for a pod with trouble, and 2 for others.
func importance(pod *corev1.Pod) int {
	trouble := func(status corev1.ContainerStatus) bool { return !status.Ready || status.RestartCount > 0 }
	switch {
	case pod.Labels[installation.Component] == "controller":
		return 0
	case slices.ContainsFunc(pod.Status.ContainerStatuses, trouble):
		return 1
	}
	return 2
}

func (c *Collector) logsOf(ctx context.Context, pod *corev1.Pod) (files []File, missing []Missing) {
	for _, status := range pod.Status.ContainerStatuses {
		options := cluster.LogOptions{Container: status.Name, Lines: mostLines, Bytes: mostBytes}
		for _, previous := range []bool{false, true} {
			if previous && status.RestartCount == 0 {
				continue
			}
			options.Previous = previous
			name, about := pod.Name+"-"+status.Name, "log of "+pod.Name
			if previous {
				name, about = name+".previous", about+" before its last restart"
			}
			content, err := c.Cluster.Log(ctx, c.Namespace, pod.Name, options)
			if err != nil {
				missing = append(missing, Missing{about, err})
				continue
			}
			files = append(files, File{Name: "logs/" + name + ".log", About: about, Content: []byte(Text(string(content)))})
		}
	}
	return files, missing
}
