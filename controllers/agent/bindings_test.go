package agent_test

import (
	"errors"
	"strings"
	"testing"

	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestACertificateInUseIsKeptUntilItIsNoLongerUsed(t *testing.T) {
	m := newMachine(t, "bindings")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", keeping(0))
	m.installed("web", first)
	m.host.set(func(h *host) { h.bindings = map[string][]string{first: {"0.0.0.0:443"}} })
	second := m.rotate("web")
	m.nextSlot()
	m.installed("web", second)
	m.holds(my, first, second)
	third := m.rotate("web")
	m.nextSlot()
	m.installed("web", third)
	m.holds(my, first, third) // superseded versions that are not in use are removed
	if said := strings.Count(m.log.text(), `"kept"="`+first+` for [0.0.0.0:443]"`); said != 1 {
		t.Errorf("the log says %d times what is kept and why, want once", said)
	}

	m.host.set(func(h *host) { h.bindings = nil })
	m.nextSlot()
	m.holds(my, third)
	m.installed("web", third)
}

func TestWhileBindingsCannotBeReadNothingIsTrimmed(t *testing.T) {
	m := newMachine(t, "bindings-blind")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", keeping(0))
	m.installed("web", first)
	m.host.set(func(h *host) { h.blind = errors.New("0x00000005 ERROR_ACCESS_DENIED") })
	second := m.rotate("web")
	m.nextSlot()
	m.installed("web", second)
	m.holds(my, first, second)
	m.host.set(func(h *host) { h.blind = nil })
	m.nextSlot()
	m.holds(my, second)
}
