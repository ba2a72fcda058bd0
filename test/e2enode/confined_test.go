//go:build linux

package e2enode

import (
	"net"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/test/linuxnode"
)

// agentConfined looks at the process of the agent as the kernel sees it. It is root for the store's files, and has nothing else of
// root.
func (l *life) agentConfined(t *testing.T) {
	agent := l.one(t, agentComponent)
	process := l.process(t, agent)
	l.confined(t, agent, process, "0")
	for folder, want := range map[string]bool{"/": false, "/etc": false, storePath: true, hostLog: true} {
		l.mayWrite(t, process, folder, want)
	}
}

func (l *life) controllersConfined(t *testing.T) {
	for _, pod := range l.pods(t, controllerComponent) {
		process := l.process(t, &pod)
		l.confined(t, &pod, process, "65532")
		for _, folder := range []string{"/", "/etc"} {
			l.mayWrite(t, process, folder, false)
		}
		if pod.Status.PodIP == linuxnode.Address || net.ParseIP(pod.Status.PodIP) == nil {
			t.Errorf("the controller's address is %s, want one of its own", pod.Status.PodIP)
		}
		l.scrapes(t, pod.Status.PodIP)
	}
}

// confined compares with proc(5): user, capabilities, no_new_privs, the mode of seccomp, and the limit of the cgroup.
func (l *life) confined(t *testing.T, pod *corev1.Pod, process linuxnode.Process, user string) {
	t.Helper()
	status, err := process.Status()
	if err != nil {
		t.Fatal(err)
	}
	const none, filter = "0000000000000000", "2"
	four := user + " " + user + " " + user + " " + user // real, effective, saved, file system
	for field, want := range map[string]string{
		"Uid": four, "CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1", "Seccomp": filter,
	} {
		if status[field] != want {
			t.Errorf("%s: %s is %q, want %q", pod.Name, field, status[field], want)
		}
	}
	limit, err := process.MemoryLimit()
	if err != nil {
		t.Fatal(err)
	}
	if want := pod.Spec.Containers[0].Resources.Limits.Memory().Value(); limit != want {
		t.Errorf("%s: its memory is limited to %d, want %d", pod.Name, limit, want)
	}
}

func (l *life) mayWrite(t *testing.T, process linuxnode.Process, folder string, want bool) {
	t.Helper()
	may, err := process.MayWrite(folder)
	if err != nil {
		t.Errorf("writing to %s in a container: %v", folder, err)
	} else if may != want {
		t.Errorf("%s can be written is %v, want %v", folder, may, want)
	}
}

// scrapes reads the controller's metrics over the pod network.
func (l *life) scrapes(t *testing.T, address string) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get("http://" + net.JoinHostPort(address, "8080") + "/metrics")
	if err != nil {
		t.Error(err)
		return
	}
	_ = answer.Body.Close() // the status is enough
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the controller's metrics: %s", answer.Status)
	}
}
