package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// findPods looks for pods that do not run, grouped by what is wrong, and for nodes without a pod.
func findPods(s *Snapshot) []Finding {
	groups := map[string]*podGroup{}
	var order []string
	for i := range s.Pods {
		trouble := troubleOf(&s.Pods[i])
		if trouble == nil {
			continue
		}
		if groups[trouble.text] == nil {
			groups[trouble.text] = &podGroup{trouble: *trouble}
			order = append(order, trouble.text)
		}
		groups[trouble.text].pods = append(groups[trouble.text].pods, s.Pods[i].Name+onNode(&s.Pods[i]))
		groups[trouble.text].first = cmp.Or(groups[trouble.text].first, s.Pods[i].Name)
	}
	var findings []Finding
	for _, text := range order {
		findings = append(findings, groups[text].finding(s))
	}
	return append(findings, s.nodesWithoutPod()...)
}

// podTrouble is what is wrong with a pod.
type podTrouble struct {
	level          Level
	text           string
	remedy, advice string // advice is a kubectl command with %s for the pod
}

type podGroup struct {
	trouble podTrouble
	pods    []string
	first   string
}

func (g *podGroup) finding(s *Snapshot) Finding {
	return finding(g.trouble.level, "%s: %s", g.trouble.text, terminal.Names(g.pods, mostNames)).
		do(g.trouble.remedy, s.kubectl(fmt.Sprintf(g.trouble.advice, g.first)))
}

// troubleOf returns what is wrong with a pod, nil if it runs or is ending.
func troubleOf(pod *corev1.Pod) *podTrouble {
	if !pod.DeletionTimestamp.IsZero() || pod.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if trouble := troubleOfContainer(&status); trouble != nil {
			return trouble
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse && condition.Reason == corev1.PodReasonUnschedulable {
			return &podTrouble{Problem, "cannot be scheduled (" + condition.Message + ")", "Give it a node that fits, or change its node selector, tolerations or requests.", "describe pod %s"}
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return &podTrouble{Problem, "has failed (" + cmp.Or(pod.Status.Reason, pod.Status.Message, "no reason given") + ")", "It is replaced; if that repeats, find out why.", "describe pod %s"}
	}
	return nil
}

// manyRestarts is how many restarts of a running container are worth a warning.
const manyRestarts = 5

func troubleOfContainer(status *corev1.ContainerStatus) *podTrouble {
	waiting := status.State.Waiting
	switch {
	case waiting == nil && status.RestartCount >= manyRestarts:
		return &podTrouble{Warning, "was restarted often" + lastEnd(status), "Find out from the log of the container before why it ended.", "logs %s --previous"}
	case waiting == nil:
		return nil
	}
	switch waiting.Reason {
	case "CrashLoopBackOff":
		return &podTrouble{Problem, "ends again and again" + lastEnd(status), "The last lines of its log say why.", "logs %s --previous"}
	case "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError":
		return &podTrouble{Problem, "cannot pull the image " + status.Image, "Check the name and tag of the image, that nodes reach the registry, and imagePullSecrets.", "describe pod %s"}
	case "CreateContainerConfigError":
		return &podTrouble{Problem, "cannot be configured (" + waiting.Message + ")", "Create what the message names: a Secret (azure.existingSecret) or a ConfigMap (azure.caBundle.configMap).", "describe pod %s"}
	case "CreateContainerError", "RunContainerError":
		return &podTrouble{Problem, "cannot be started (" + waiting.Message + ")", "Follow the message of the container runtime.", "describe pod %s"}
	}
	return nil
}

// lastEnd returns how a container ended the last time.
func lastEnd(status *corev1.ContainerStatus) string {
	ended := status.LastTerminationState.Terminated
	if ended == nil {
		return ""
	}
	return fmt.Sprintf(" (%s, exit code %d)", cmp.Or(ended.Reason, "ended"), ended.ExitCode)
}

func onNode(pod *corev1.Pod) string {
	if pod.Spec.NodeName == "" {
		return ""
	}
	return " on " + pod.Spec.NodeName
}

// nodesWithoutPod finds nodes on which the DaemonSet controller has created no pod.
func (s *Snapshot) nodesWithoutPod() []Finding {
	have := map[string]bool{}
	for i := range s.Pods {
		if strings.HasPrefix(s.Pods[i].Labels["app.kubernetes.io/component"], "agent") {
			have[s.Pods[i].Spec.NodeName] = true
		}
	}
	var without []string
	for _, node := range s.agentNodes() {
		if !have[node.Name] {
			without = append(without, node.Name)
		}
	}
	if len(without) == 0 {
		return nil
	}
	return []Finding{finding(Problem, "no agent's pod exists on %s: %s", s.ofAgentNodes(len(without)), terminal.Names(without, mostNames)).
		do("The events of the DaemonSet say why: Pod Security, a quota for its priority class, or a taint that it does not tolerate.", s.kubectl("describe daemonset/"+s.firstAgent()))}
}
