package agent_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

// host is a machine with accounts and bindings, which the directory store's own machine does not have: Windows is tested
// under Wine and natively, and these tests are about how the agent uses its answers.
type host struct {
	directory.Machine

	mu        sync.Mutex
	accounts  map[string]string // SIDs by name
	away      error             // while the domain is unreachable
	bindings  map[string][]string
	blind     error // when asked for bindings
	announced []string
	programs  programs
}

var _ certstore.Machine = (*host)(nil)

// Resolve implements certstore.Machine.
func (h *host) Resolve(account string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away != nil {
		return "", h.away
	}
	if sid, ok := h.accounts[account]; ok {
		return sid, nil
	}
	return "", &certstore.UnknownAccount{Account: account, Err: errors.New("0x00000534 ERROR_NONE_MAPPED")}
}

// Bindings implements certstore.Machine.
func (h *host) Bindings() (map[string][]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.programs.addTo(h.bindings), h.blind
}

// Announce implements certstore.Machine.
func (h *host) Announce(_ context.Context, _ certstore.Ref, thumbprint, successor string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.announced = append(h.announced, thumbprint+" by "+successor)
	return nil
}

func (h *host) announcements() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.announced)
}

func (h *host) set(change func(*host)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}
