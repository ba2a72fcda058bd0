// Package linuxnode runs a real node on a Linux machine: containerd and runc of the distribution, and kubelet. It needs root.
//
// The node has PID, mount and host name namespaces of its own, in which its own folders lie over /var/lib, /var/log and /run. So
// nothing of it is outside the folder that it is given, its end leaves no mount and no process, and to end it at once is what a
// reboot is: see Node.Reboot. Its network is that of the process that started it, which should have a namespace of its own
// (Network), because the node's ports and addresses are fixed.
package linuxnode
