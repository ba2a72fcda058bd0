package kubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// tell writes the pod's status where it has changed.
func (k *Kubelet) tell(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase, r *running, ready bool) error {
	want := pod.DeepCopy()
	want.Status.Phase = phase
	started := metav1.NewTime(r.started).Rfc3339Copy()
	want.Status.StartTime = &started
	want.Status.HostIP, want.Status.PodIP = "127.0.0.1", "127.0.0.1"
	want.Status.HostIPs, want.Status.PodIPs = []corev1.HostIP{{IP: "127.0.0.1"}}, []corev1.PodIP{{IP: "127.0.0.1"}}
	setCondition(&want.Status, corev1.PodInitialized, true)
	setCondition(&want.Status, corev1.ContainersReady, ready)
	setCondition(&want.Status, corev1.PodReady, ready)
	container := pod.Spec.Containers[0]
	want.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: container.Name, Image: container.Image, Ready: ready, Started: &ready, RestartCount: r.restarts, State: state(phase, started),
	}}
	if equality.Semantic.DeepEqual(pod.Status, want.Status) {
		return nil
	}
	if _, err := k.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, want, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("writing its status: %w", err)
	}
	return nil
}

func state(phase corev1.PodPhase, started metav1.Time) corev1.ContainerState {
	switch phase {
	case corev1.PodRunning:
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}
	case corev1.PodSucceeded:
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: started}}
	default:
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 1, StartedAt: started}}
	}
}

// setCondition leaves the time of a condition that does not change.
func setCondition(status *corev1.PodStatus, kind corev1.PodConditionType, holds bool) {
	want := corev1.ConditionFalse
	if holds {
		want = corev1.ConditionTrue
	}
	for i := range status.Conditions {
		if condition := &status.Conditions[i]; condition.Type == kind {
			if condition.Status != want {
				condition.Status, condition.LastTransitionTime = want, metav1.Now()
			}
			return
		}
	}
	status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: want, LastTransitionTime: metav1.Now()})
}
