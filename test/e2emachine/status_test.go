package e2emachine

import (
	"strings"
	"testing"
	"time"
)

func TestStatusAndPollSayByTheirExitCodeWhetherAllIsWell(t *testing.T) {
	h := newHost(t)
	thumbprint := put(t, "well")
	h.status(t, 2, "no agent runs here, and none has left a state")
	h.poll(t, 2)
	h.write(t, "extension.yaml", simple(t, "well"))
	h.start(t)
	h.status(t, 0, thumbprint)
	h.write(t, "more.yaml", simple(t, "ill"))
	h.status(t, 1, thumbprint, "ill", "SecretNotFound")
	if said := h.poll(t, 1, "ill"); !strings.Contains(said, "SecretNotFound") {
		t.Errorf("poll says %q", said)
	}
	h.poll(t, 0, "well")
	h.poll(t, 2, "there-is-no-such-certificate")
	put(t, "ill")
	h.poll(t, 0, "ill")
	h.status(t, 0)
	h.agent.Kill()
	h.status(t, 2, thumbprint, "no agent runs here; this is what it wrote last")
	h.poll(t, 2)
}

// The agent has nothing to show during its first poll, which is not the same as nothing to do.
func TestStatusAndPollKnowWhatIsNotProcessedYet(t *testing.T) {
	h := newHost(t)
	thumbprint := put(t, "slow")
	env.shop.Latency(1500 * time.Millisecond) // twice: it asks for a token first
	h.write(t, "extension.yaml", simple(t, "slow"))
	h.start(t)
	h.status(t, 1, "slow: not processed yet")
	if said := h.poll(t, 0); !strings.Contains(said, "slow: Installed, "+thumbprint) {
		t.Errorf("poll says %q", said)
	}
	h.status(t, 0, thumbprint)
}
