//go:build linux

package e2enode

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/linuxnode"
)

func (l *life) install(t *testing.T) {
	l.nodeReady(t)
	var node corev1.Node
	l.get(t, "", linuxnode.Name, &node)
	info := node.Status.NodeInfo
	t.Logf("Node: kubelet %s, %s, %s, Linux %s", info.KubeletVersion, info.ContainerRuntimeVersion, info.OSImage, info.KernelVersion)
	if !l.tainted(t) {
		t.Fatal("kubelet registered the node without the startup taint")
	}
	l.deploy(t, "install", firstTag)
	l.allReady(t, agentComponent, 1)
	l.allReady(t, controllerComponent, 2)
	l.holds(t)
	l.watch(t)
	l.installed(t)
	await.That(t, "the startup taint is off", func() (bool, error) { return !l.tainted(t), nil })
}

func (l *life) tainted(t *testing.T) bool {
	t.Helper()
	var node corev1.Node
	l.get(t, "", linuxnode.Name, &node)
	return slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == v1alpha1.StartupTaintKey })
}

// logs reads the host log with the commands of docs/host-log.md, and runs the commands of docs/install.md in the pod.
func (l *life) logs(t *testing.T) {
	folder := "/api/v1/nodes/" + linuxnode.Name + "/proxy/logs/vaultpane/"
	file := "vaultpane_service_" + time.Now().UTC().Format(time.DateOnly) + ".log"
	agent := l.one(t, agentComponent).Name
	for _, one := range []struct {
		command []string
		want    string
	}{
		{[]string{"get", "--raw", folder}, file},
		{[]string{"get", "--raw", folder + file}, `"msg"`},
		{[]string{"logs", agent}, `"msg"`},
		{[]string{"exec", agent, "--", "vaultpane-agent", "store", "list"}, l.thumbprint},
		{[]string{"exec", agent, "--", "vaultpane-agent", "version"}, "e2e"},
	} {
		text, err := l.cluster.RunKubectl("", append([]string{"--namespace=" + namespace}, one.command...)...)
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(text, one.want) {
			t.Errorf("kubectl %s says %q, want %s in it", one.command, text, one.want)
		}
	}
	if _, err := l.cluster.RunKubectl("", "exec", "--namespace="+namespace, agent, "--", "sh", "-c", "true"); err == nil {
		t.Error("the agent's container has a shell")
	}
}

func (l *life) uninstall(t *testing.T) {
	l.helm(t, "uninstall", release, "--wait", "--timeout="+helmLimit)
	await.That(t, "no pod is left", func() (bool, error) {
		return len(l.pods(t, agentComponent))+len(l.pods(t, controllerComponent)) == 0, nil
	})
	l.holds(t)
}
