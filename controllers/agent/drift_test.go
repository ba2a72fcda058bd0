package agent_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// loseMark removes the mark of a certificate as another program would.
func (m *machine) loseMark(ref certstore.Ref, thumbprint string) {
	m.t.Helper()
	file := filepath.Join(m.store.root, string(ref.Location), strings.ToUpper(ref.Name), thumbprint+".pem")
	text, err := os.ReadFile(file)
	m.must(err)
	_, rest, _ := strings.Cut(string(text), "\n")
	m.must(os.WriteFile(file, []byte(rest), 0o600))
}

// loseKey removes a private key as another program would.
func (m *machine) loseKey(ref certstore.Ref, thumbprint string) {
	m.t.Helper()
	m.must(os.Remove(filepath.Join(m.store.root, string(ref.Location), strings.ToUpper(ref.Name), thumbprint+".key")))
}

func TestARemovedMarkIsRepairedWithoutTheVault(t *testing.T) {
	m := newMachine(t, "drift-mark")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", exportable, deleteWhenGone)
	m.installed("web", web)
	before := m.held(my)[web]
	m.loseMark(my, web)
	if m.markOf(my, web) != nil {
		t.Fatal("the mark is still there")
	}
	m.eventually("the mark is there again", func() (bool, error) { return m.markOf(my, web) != nil, nil })
	if diff := cmp.Diff(before, m.held(my)[web]); diff != "" {
		t.Errorf("it differs from what it was (-before +after):\n%s", diff)
	}
	m.nextSlot()
	m.reconcilesAgain("web")
	m.sawRequests("web", 2)
	if writes := m.store.written(0); len(writes) != 2 {
		t.Errorf("the store was written %q, want the installation and the mark: nothing else was wrong", writes)
	}
	m.delete("web")
	m.gone("web")
	m.holds(my)
}

func TestAMarkLostWhileKeyOptionsChangeHidesNothing(t *testing.T) {
	m := newMachine(t, "drift-options")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	m.stop()
	m.loseMark(my, web)
	m.changeSpec("web", exportable)
	m.start()
	m.eventually("the key is exportable", func() (bool, error) {
		mark := m.markOf(my, web)
		return mark != nil && mark.Exportable && mark.Version != "", nil
	})
	if writes := m.store.written(0); countOf(writes, "Install "+my.String()+" "+web) != 2 {
		t.Errorf("the store was written %q, want the key installed again", writes)
	}
}

func TestARemovedKeyIsRepairedFromTheVault(t *testing.T) {
	m := newMachine(t, "drift-key")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	m.loseKey(my, web)
	m.holds(my, web)
	m.installed("web", web)
	m.sawRequests("web", 2)
}

func TestADeletionPolicyReachesWhatIsSupersededAndTheChain(t *testing.T) {
	m := newMachine(t, "drift-policy")
	first := m.put("web", vaulttest.CertificateOptions{WithChain: true})
	m.create("web")
	m.installed("web", first)
	second := m.rotate("web")
	m.nextSlot()
	m.installed("web", second)
	m.must(m.vault.Disable(m.full("web"), ""))
	m.changeSpec("web", deleteWhenGone)
	m.eventually("every mark says Delete", func() (bool, error) {
		for _, ref := range []certstore.Ref{my, ca} {
			for thumbprint, entry := range m.held(ref) {
				if entry.Mark.DeletionPolicy != "Delete" {
					return false, fmt.Errorf("%s in %s does not", thumbprint, ref)
				}
			}
		}
		return true, nil
	})
	m.delete("web")
	m.gone("web")
	m.holds(my)
	m.authorities()
}

// fight repeats what another tool does: the agent repairs it promptly three times, and then at growing intervals.
func (m *machine) fight(thumbprint string, harm func(), intact func() bool) {
	m.t.Helper()
	for range 3 {
		harm()
		m.eventually("it is repaired at once", func() (bool, error) { return intact(), nil })
		m.installed("web", thumbprint)
		m.reconcilesAgain("web") // the repair is done
	}
	if warnings := m.driftWarnings(); len(warnings) != 0 {
		m.t.Errorf("three repairs cause %q", warnings)
	}
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		before := len(m.store.written(0))
		harm()
		m.storeIsRead()
		m.storeIsRead()
		m.reconcilesAgain("web")
		if intact() || len(m.store.written(before)) > 0 {
			m.t.Errorf("it is repaired before %s are over: %q", wait, m.store.written(before))
		}
		m.pass(wait)
		m.eventually(fmt.Sprintf("it is repaired after %s", wait), func() (bool, error) { return intact(), nil })
		m.reconcilesAgain("web")
	}
	m.eventually("the warnings say how often it was", func() (bool, error) {
		warnings := m.driftWarnings()
		events := strings.Join(warnings, "\n")
		for _, count := range []string{"repaired 4 times", "repaired 5 times", "repaired 6 times"} {
			if strings.Count(events, count) != 1 {
				return false, fmt.Errorf("the events are %q", events)
			}
		}
		return len(warnings) == 3, nil
	})
}

// driftWarnings returns the events that say how often drift was repaired. On a busy machine, a poll can fail and cause others.
func (m *machine) driftWarnings() []string {
	m.t.Helper()
	return slices.DeleteFunc(m.events("web"), func(event string) bool {
		return !strings.Contains(event, string(v1alpha1.ReasonRepeatedDrift)+": ")
	})
}

func TestRepeatedDriftSlowsDownAndIsOneWarning(t *testing.T) {
	m := newMachine(t, "fight")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	m.fight(web, func() { m.removeBehind(my, web) }, func() bool { return m.held(my)[web].Key == certstore.KeyPresent })
	if writes := len(m.store.written(0)); writes != 1+6 {
		t.Errorf("the store was written %d times, want once and for six repairs", writes)
	}
	m.sawRequests("web", 1+6)
}

func TestRepeatedDriftOfRightsCostsNoRequest(t *testing.T) {
	m := newMachine(t, "fight-rights")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	theirs, ours := "D:P(A;;FA;;;S-1-1-0)", certstore.KeyAccess(certstore.LocalMachine, nil)
	m.fight(web, func() { m.changeBehind(my, web, certstore.Change{Access: &theirs}) }, func() bool { return m.held(my)[web].Access == ours })
	if writes := len(m.store.written(0)); writes != 1+6 {
		t.Errorf("the store was written %d times, want once and for six repairs", writes)
	}
	m.sawRequests("web", 1)
}
