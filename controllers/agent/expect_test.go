package agent_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

// waitLimit is how long a test waits for anything before it fails.
const waitLimit = time.Minute

var (
	my         = certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}
	ca         = certstore.Ref{Location: certstore.LocalMachine, Name: "CA"}
	webHosting = certstore.Ref{Location: certstore.LocalMachine, Name: "WebHosting"}
)

// eventually waits until a condition holds.
func (m *machine) eventually(what string, holds func() (bool, error)) {
	m.t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(m.t.Context(), 50*time.Millisecond, waitLimit, true, func(context.Context) (bool, error) {
		var ok bool
		ok, last = holds()
		return ok && last == nil, nil
	})
	if err != nil {
		m.t.Fatalf("timed out waiting until %s (last error: %v)", what, last)
	}
}

// entry is what the node reports of a certificate; nil for nothing.
func (m *machine) entry(name string) (*v1alpha1.CertificateEntry, error) {
	state, err := m.front.state()
	if err != nil {
		return nil, err
	}
	for _, entry := range state.Certificates {
		if entry.Name == m.full(name) {
			return &entry, nil
		}
	}
	return nil, nil
}

// reported waits until the node's entry of a certificate fits, and returns it.
func (m *machine) reported(name, what string, fits func(*v1alpha1.CertificateEntry) bool) v1alpha1.CertificateEntry {
	m.t.Helper()
	var entry *v1alpha1.CertificateEntry
	m.eventually(name+" is reported "+what, func() (bool, error) {
		var err error
		if entry, err = m.entry(name); err != nil || entry == nil {
			return false, err
		}
		if !fits(entry) {
			return false, fmt.Errorf("the node reports %+v", *entry)
		}
		return true, nil
	})
	return *entry
}

// installed waits until the node reports a certificate without a reason.
func (m *machine) installed(name, thumbprint string) v1alpha1.CertificateEntry {
	m.t.Helper()
	return m.reported(name, "as installed with "+thumbprint, func(e *v1alpha1.CertificateEntry) bool {
		return e.Thumbprint == thumbprint && e.State == v1alpha1.StateInstalled && e.Reason == ""
	})
}

// declines waits until a certificate is reported as installed with a declined link, and checks the message.
func (m *machine) declines(name, thumbprint string, says ...string) {
	m.t.Helper()
	entry := m.fails(name, v1alpha1.ReasonLinkDeclined, says...)
	if entry.State != v1alpha1.StateInstalled || entry.Thumbprint != thumbprint {
		m.t.Errorf("it is reported as %+v, want %s installed", entry, thumbprint)
	}
}

// fails waits until the node reports a reason, and checks its message.
func (m *machine) fails(name string, reason v1alpha1.Reason, says ...string) v1alpha1.CertificateEntry {
	m.t.Helper()
	entry := m.reported(name, "with "+string(reason), func(e *v1alpha1.CertificateEntry) bool { return e.Reason == reason })
	for _, text := range says {
		if !strings.Contains(entry.Message, text) {
			m.t.Errorf("the message of %s does not say %q: %s", name, text, entry.Message)
		}
	}
	return entry
}

// gone waits until the node no longer reports a certificate.
func (m *machine) gone(name string) {
	m.t.Helper()
	m.eventually(name+" is no longer reported", func() (bool, error) {
		entry, err := m.entry(name)
		return entry == nil, err
	})
}

// openStore opens the machine's store as another program would.
func (m *machine) openStore() certstore.Store {
	m.t.Helper()
	store, err := directory.New(m.store.root)
	if err != nil {
		m.t.Fatal(err)
	}
	return store
}

// held returns what a store holds, as a process of its own sees it.
func (m *machine) held(ref certstore.Ref) map[string]certstore.Entry {
	m.t.Helper()
	entries, err := m.openStore().List(ref)
	if err != nil {
		m.t.Fatal(err)
	}
	held := map[string]certstore.Entry{}
	for _, entry := range entries {
		held[entry.Thumbprint] = entry
	}
	return held
}

// holds waits until a store holds exactly these certificates, each with its key.
func (m *machine) holds(ref certstore.Ref, thumbprints ...string) {
	m.t.Helper()
	thumbprints = slices.Sorted(slices.Values(thumbprints))
	m.eventually(fmt.Sprintf("%s holds exactly %v", ref, thumbprints), func() (bool, error) {
		var found []string
		for thumbprint, entry := range m.held(ref) {
			if entry.Key != certstore.KeyPresent {
				return false, fmt.Errorf("the key of %s is %s", thumbprint, entry.Key)
			}
			found = append(found, thumbprint)
		}
		slices.Sort(found)
		if !slices.Equal(thumbprints, found) {
			return false, fmt.Errorf("it holds %v", found)
		}
		return true, nil
	})
}

// markOf returns the mark of a certificate, nil for none.
func (m *machine) markOf(ref certstore.Ref, thumbprint string) *certstore.Mark {
	m.t.Helper()
	return m.held(ref)[thumbprint].Mark
}

// events returns the events about a certificate, as "reason: note", with "again: " before one that was repeated.
func (m *machine) events(name string) []string {
	m.t.Helper()
	notes, err := m.front.warnings(m.full(name))
	m.must(err)
	return notes
}

// warned waits for the one event about a certificate's failure.
func (m *machine) warned(name string, reason v1alpha1.Reason) {
	m.t.Helper()
	m.eventually(fmt.Sprintf("one event says %s of %s", reason, name), func() (bool, error) {
		events := m.events(name)
		if len(events) != 1 || !strings.HasPrefix(events[0], string(reason)+": ") {
			return false, fmt.Errorf("the events are %q", events)
		}
		return true, nil
	})
}
