package linuxnode

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// kubeletSettings are a KubeletConfiguration (https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1). Kubelet
// authenticates and authorizes its clients at the API server, as kubeadm has it.
func (n *Node) kubeletSettings() (string, error) {
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"containerRuntimeEndpoint": "unix://" + n.dir.socket(),
		"address":                  Address,
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false}, "webhook": map[string]any{"enabled": true},
			"x509": map[string]any{"clientCAFile": n.options.Plane.AuthorityFile()},
		},
		"authorization": map[string]any{"mode": "Webhook"},
		"cgroupDriver":  "cgroupfs", // no systemd is needed
		"cgroupRoot":    n.cgroup.path(),
		"failCgroupV1":  false,
		// nothing is reserved, and what else runs on this machine must evict no pod
		"enforceNodeAllocatable": []string{"pods"},
		"evictionHard":           map[string]string{"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
		"failSwapOn":             false,
		// images are imported: one that is collected would be missing
		"imageGCHighThresholdPercent": 100,
		"resolvConf":                  n.dir.setting("resolv.conf"),
		"registerWithTaints":          n.options.Taints,
		"nodeStatusUpdateFrequency":   "2s",
	})
	if err != nil {
		return "", fmt.Errorf("writing kubelet's settings: %w", err)
	}
	return string(text), nil
}

// writeKubelet writes what kubelet reads.
func (n *Node) writeKubelet() error {
	settings, err := n.kubeletSettings()
	if err != nil {
		return err
	}
	if err := n.dir.write("kubelet.yaml", settings); err != nil {
		return err
	}
	if err := n.dir.write("resolv.conf", ""); err != nil { // there is no DNS
		return err
	}
	return n.options.Plane.WriteUserKubeconfig(n.dir.setting("kubelet.kubeconfig"), "system:node:"+Name, "system:nodes")
}

// StartKubelet starts kubelet, after StopKubelet too.
func (n *Node) StartKubelet() error {
	return n.machine.start("kubelet", n.dir.log("kubelet"), n.options.Kubelet,
		"--config="+n.dir.setting("kubelet.yaml"), "--kubeconfig="+n.dir.setting("kubelet.kubeconfig"),
		"--hostname-override="+Name, "--node-ip="+Address, "--v=2")
}

// StopKubelet kills kubelet. Containers run on.
func (n *Node) StopKubelet() error { return n.machine.kill("kubelet") }

// Taint is a taint with which the node registers.
type Taint = corev1.Taint
