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

// facts are what the cluster says about one node: the Node, what its agent reported, and its Lease. Each may be missing.
type facts struct {
	node  *corev1.Node
	state *v1alpha1.NodeCertificateState
	lease *coordinationv1.Lease
}

// node is what the roll-up needs of a node.
type node struct {
	name    string
	uid     types.UID
	labels  labels.Set
	created time.Time
	chosen  bool // its labels say that it runs the agent
	tainted bool // it waits for its first certificates

	reported bool // its agent has reported for this very Node
	entries  []v1alpha1.CertificateEntry
	stamp    time.Time // what its Lease says by the node's clock; zero if there is no Lease of this very Node
	renewed  time.Time // the last sign of life by our clock, zero for none
	overdue  time.Time // when the oldest poll was due that the agent has not made, zero for none
	// unwritten is since when the agent has not been able to write its report, zero while it can: what it reported is old.
	unwritten time.Time
	// omitted is how many certificates its report leaves out for size, and version that of the agent.
	omitted int32
	version string
	// runs says whether it is one that should have certificates, see runsAgent.
	runs    bool
	changes time.Time // when time alone changes how it stands with a certificate, zero for never
}

// read takes the facts in. What an earlier Node of the same name left behind does not count: the UID tells.
func (n *node) read(f facts, agents labels.Selector, now time.Time) {
	if n.uid != f.node.UID {
		n.stamp, n.renewed = time.Time{}, time.Time{}
	}
	n.uid, n.labels, n.created = f.node.UID, f.node.Labels, f.node.CreationTimestamp.Time
	n.chosen = agents.Matches(n.labels)
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

// readLease takes the sign of life in. The node's clock may be wrong: a Lease that changed was renewed just now, whatever it
// says, as Kubernetes' own node controller has it. What it says counts only when it is seen for the first time.
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

// runsAgent says whether a node is one that should have certificates: its labels say that it runs the agent, or its agent is
// alive all the same.
func (n *node) runsAgent(now time.Time) (runs bool, changes time.Time) {
	if n.chosen {
		return true, time.Time{}
	}
	deadline := n.renewed.Add(silentAfter)
	if n.reported && now.Before(deadline) {
		return true, deadline
	}
	return false, time.Time{}
}

// wish is what the roll-up needs of an ObservedCertificate.
type wish struct {
	name        string
	uid         types.UID
	generation  int64
	created     time.Time
	suspended   bool
	initialSync bool
	links       bool   // linkOnRenewal
	pinned      string // the version that the URL names, empty where it follows the newest
	selector    labels.Selector
	// last is the certificate that the status named when the wish was read: after a restart, what is known of the order.
	last held
}

// wishOf reads a spec. With the error comes a wish that selects no node.
func wishOf(certificate *v1alpha1.ObservedCertificate) (wish, error) {
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	if err != nil {
		selector, err = labels.Nothing(), fmt.Errorf("reading the node selector of %s: %w", certificate.Name, err)
	}
	return wish{
		name: certificate.Name, uid: certificate.UID, generation: certificate.Generation,
		created: certificate.CreationTimestamp.Time, suspended: certificate.Spec.Suspend,
		initialSync: certificate.Spec.RequireInitialSync, selector: selector,
		links: certificate.Spec.LinkOnRenewal, pinned: versionOf(certificate.Spec.URL),
		last: heldOf(v1alpha1.CertificateEntry{Version: certificate.Status.Version, Thumbprint: certificate.Status.Thumbprint, NotAfter: certificate.Status.NotAfter}),
	}, err
}

func (w wish) same(other wish) bool {
	return w.uid == other.uid && w.generation == other.generation
}

// versionOf returns the version that a URL such as https://myvault.vault.azure.net/secrets/web/<version> names, empty for none. The
// agents check the rest of the URL.
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
