package rollup

import (
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// message says what is wrong on the node or what it waits for, and what to do. Nothing in it differs from one attempt to the next.
func (w sufferer) message(wanted *wish, current held, now time.Time) string {
	entry, reported := w.node.entry(wanted.name)
	text := entry.Message
	switch {
	case w.at.reason == v1alpha1.ReasonExpired && w.at.held.expired(now):
		text = w.expired(wanted, entry, current, now)
	case w.at.reason == v1alpha1.ReasonAgentNotReporting:
		text = w.silence()
	case w.at.reason == v1alpha1.ReasonSuperseded:
		text = fmt.Sprintf("the node has version %s and other nodes have %s; it follows at its next poll, for which the annotation vaultpane.dev/requestedAt asks at once", w.at.held.version, current.version)
	case w.at.reason != v1alpha1.ReasonPending: // the agent says it
	case !reported && w.node.omitted > 0:
		text = fmt.Sprintf("the node's report leaves out %d certificates for its size, see omitted of NodeCertificateState %s; select fewer certificates for the node", w.node.omitted, w.node.name)
	case !reported:
		text = "the node's agent has not reported this certificate yet"
	case entry.Generation != wanted.generation:
		text = fmt.Sprintf("the node's agent has not acted on generation %d of the spec yet, it reports %d", wanted.generation, entry.Generation)
	case text == "":
		text = "the node's agent has not handled the certificate yet"
	}
	return truncate.Cut(text, maxMessage)
}

// expired says of a certificate that has ended why its successor is not there.
func (w sufferer) expired(wanted *wish, entry v1alpha1.CertificateEntry, current held, now time.Time) string {
	ended := fmt.Sprintf("the certificate %s that the node has expired on %s", w.at.held.thumbprint, w.at.held.end().UTC().Format(time.RFC3339))
	unwell := entry.State == v1alpha1.StateFailed || entry.State == v1alpha1.StatePending || w.at.sync != ""
	switch {
	case w.at.late:
		return ended + ", and " + w.silence()
	case unwell && entry.Reason == v1alpha1.ReasonExpired && entry.Message != "":
		return entry.Message // the agent says what to do
	case unwell && entry.Message != "":
		return fmt.Sprintf("%s, and polls for its successor fail (%s): %s", ended, entry.Reason.Info().Reason, entry.Message)
	case wanted.pinned != "":
		return ended + "; renew it in the vault; " + wanted.pin()
	case w.at.held != current && !current.expired(now):
		return ended + "; other nodes have its successor: ask for a poll with the annotation vaultpane.dev/requestedAt, and look at the agent's pod on that node"
	}
	return ended + "; renew it in the vault"
}

// pin says that a newer version is not followed, and what to remove for that.
func (w *wish) pin() string {
	return fmt.Sprintf("spec.url is pinned to a version, so newer ones are not followed: remove /%s from its end", w.pinned)
}

// silence says why what is known of the node is old, and where to look.
func (w sufferer) silence() string {
	switch {
	case !w.node.unwritten.IsZero():
		return fmt.Sprintf("the node's agent has not been able to write its report since %s, so what is known of the node is older; look at the error in its log, and whether its service account may create and update NodeCertificateStates", w.node.unwritten.UTC().Format(time.RFC3339))
	case !w.at.late:
		return "the node's agent has not reported yet; on a new node its pod may still be starting"
	case w.node.renewed.IsZero() && w.node.reported:
		return "the node's agent has reported, but has no current Lease; look at its pod on that node, and whether it may write Leases"
	case w.node.renewed.IsZero():
		return "the node's agent has never reported; look at its pod on that node"
	}
	return fmt.Sprintf("the node's agent gave its last sign of life on %s; look at its pod on that node", w.node.renewed.UTC().Format(time.RFC3339))
}
