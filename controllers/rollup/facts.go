package rollup

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// facts are the objects about one node: the Node, its agent's report, and its agent's Lease. Each may be missing.
type facts struct {
	node  *corev1.Node
	state *v1alpha1.NodeCertificateState
	lease *coordinationv1.Lease
}

// node is what the roll-up needs of a node.
type node struct {
	name       string
	uid        types.UID
	labels     labels.Set
	created    time.Time
	agentLabel bool // its labels are those of nodes that run the agent
	tainted    bool // it has the startup taint

	reported bool // its agent has reported for this very Node
	entries  []v1alpha1.CertificateEntry
	stamp    time.Time // the Lease's renewal time by the node's clock; zero without a Lease of this very Node
	renewed  time.Time // the last renewal by our clock, zero for none
	overdue  time.Time // the due time of the agent's oldest missed poll, zero for none
	// unwritten is since when the agent has not been able to write its report, zero while it can: its last report is outdated.
	unwritten time.Time
	// omitted is how many certificates the report leaves out because of its size. version is the agent's.
	omitted int32
	version string
	// runs reports whether the node should have certificates, see runsAgent.
	runs    bool
	changes time.Time // when time alone changes its status for a certificate, zero for never
}

// read reads the facts. Objects of an earlier Node of the same name, which has another UID, do not count.
func (n *node) read(f facts, agents labels.Selector, now time.Time) {
	if n.uid != f.node.UID {
		n.stamp, n.renewed = time.Time{}, time.Time{}
	}
	n.uid, n.labels, n.created = f.node.UID, f.node.Labels, f.node.CreationTimestamp.Time
	n.agentLabel = agents.Matches(n.labels)
	n.tainted = false
	for _, taint := range f.node.Spec.Taints {
		n.tainted = n.tainted || v1alpha1.IsStartupTaintKey(taint.Key)
	}
	n.reported, n.entries, n.omitted, n.version = false, nil, 0, ""
	if f.state != nil && f.state.NodeUID == string(n.uid) {
		n.reported, n.entries, n.version = true, f.state.Certificates, f.state.AgentVersion
		if f.state.Omitted != nil {
			n.omitted = f.state.Omitted.Certificates
		}
	}
	n.readLease(f.lease, now)
}

// readLease reads the heartbeat. The node's clock may be wrong: a Lease that changed was renewed just now, whatever its renewal
// time, as in Kubernetes' node lifecycle controller. The renewal time counts only when the Lease is seen for the first time.
func (n *node) readLease(lease *coordinationv1.Lease, now time.Time) {
	if lease == nil || lease.Spec.RenewTime == nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != string(n.uid) {
		n.stamp, n.renewed, n.overdue, n.unwritten = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		return
	}
	stamp := lease.Spec.RenewTime.Time
	switch {
	case n.stamp.IsZero() && stamp.Before(now):
		n.renewed = stamp
	case !stamp.Equal(n.stamp):
		n.renewed = now
	}
	n.stamp, n.overdue, n.unwritten = stamp, heartbeat.OverdueSince(lease), heartbeat.UnwrittenSince(lease)
}

// runsAgent reports whether a node should have certificates: its labels are those of nodes that run the agent, or an agent
// reports from it regardless of its labels. changes is when time alone changes that, zero for never.
func (n *node) runsAgent(now time.Time) (runs bool, changes time.Time) {
	if n.agentLabel {
		return true, time.Time{}
	}
	deadline := n.renewed.Add(notReportingAfter)
	if n.reported && now.Before(deadline) {
		return true, deadline
	}
	return false, time.Time{}
}

// desired is what the roll-up needs of an ObservedCertificate.
type desired struct {
	name        string
	uid         types.UID
	generation  int64
	created     time.Time
	suspended   bool
	initialSync bool
	links       bool   // linkOnRenewal
	configMap   bool   // it comes from a ConfigMap, not from a vault
	pinned      string // the version that the URL names, empty where it follows the newest
	selector    labels.Selector
	rollout     *v1alpha1.Rollout // nil without waves
	uses        []string          // the names of the entries of spec.usedBy
	// last is the certificate in the status when the spec was read: what is known after a restart of the order of versions.
	last held
}

// desiredOf reads a spec. If it returns an error, the result selects no node.
func desiredOf(certificate *v1alpha1.ObservedCertificate) (desired, error) {
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	if err != nil {
		selector, err = labels.Nothing(), fmt.Errorf("reading the node selector of %s: %w", certificate.Name, err)
	}
	return desired{
		name: certificate.Name, uid: certificate.UID, generation: certificate.Generation,
		created: certificate.CreationTimestamp.Time, suspended: certificate.Spec.Suspend,
		initialSync: certificate.Spec.RequireInitialSync, selector: selector,
		uses: useNames(certificate), rollout: rolloutOfSpec(certificate), links: certificate.Spec.LinkOnRenewal, pinned: versionOf(certificate.Spec.URL),
		configMap: certificate.Spec.ConfigMap != nil,
		last:      heldOf(v1alpha1.CertificateEntry{Version: certificate.Status.Version, Thumbprint: certificate.Status.Thumbprint, NotAfter: certificate.Status.NotAfter}),
	}, err
}

// rolloutOfSpec returns the waves of a spec, nil for none. A pinned version is not rolled out in waves.
func rolloutOfSpec(certificate *v1alpha1.ObservedCertificate) *v1alpha1.Rollout {
	if versionOf(certificate.Spec.URL) != "" {
		return nil
	}
	return certificate.Spec.Rollout
}

func (w desired) same(other desired) bool {
	return w.uid == other.uid && w.generation == other.generation
}

// versionOf returns the version in a URL such as https://myvault.vault.azure.net/secrets/web/<version>, empty for none. The
// agents validate the rest of the URL.
func versionOf(secret string) string {
	parsed, err := url.Parse(secret)
	if err != nil {
		return ""
	}
	if parts := strings.Split(parsed.Path, "/"); len(parts) == 4 && parts[1] == "secrets" {
		return truncate.Line(parts[3], maxVersion)
	}
	return ""
}

// maxVersion bounds a version in a message, in characters.
const maxVersion = 64
