package standalone

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/winetest"
)

var (
	noTime time.Time
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func newState(dir string) *State {
	state := &State{Dir: dir, Machine: "vm", AgentVersion: "test", Now: func() time.Time { return noon }}
	state.Load(logr.Discard())
	return state
}

func TestTheStateSurvivesARestart(t *testing.T) {
	dir := filepath.Join(winetest.TempDir(t), "state")
	before := newState(dir)
	ends := metav1.NewTime(noon.Add(time.Hour))
	web := v1alpha1.CertificateEntry{Name: "web", Generation: 7, Version: "v", Thumbprint: "AA", NotAfter: &ends}
	before.Set(web)
	before.Set(v1alpha1.CertificateEntry{Name: "api", Generation: 8, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonAccessDenied, Message: "why"})
	before.SetProblems([]string{"a.json:1: one", "b.json:2: two"})
	must(t, before.write())

	previous, lastAlive := newState(dir).Load(logr.Discard())
	if diff := cmp.Diff(web, previous["web"]); diff != "" || !lastAlive.Equal(noon) {
		t.Errorf("it was last alive at %s, and web differs:\n%s", lastAlive, diff)
	}
	state, err := ReadState(dir)
	must(t, err)
	if state.Summary.Failing != 1 || state.Summary.Certificate != "api" || state.AgentVersion != "test" || state.Name != "vm" {
		t.Errorf("the file has %+v", state)
	}
	if problems := SettingsProblems(state); !slices.Equal(problems, []string{"a.json:1: one", "b.json:2: two"}) {
		t.Errorf("its problems are %q", problems)
	}
}

// A container's store is empty after a restart, while its state may be on a volume.
func TestWhatAnEarlierAgentReportedIsNotProcessedYet(t *testing.T) {
	dir := winetest.TempDir(t)
	certificate := *ObjectOf(v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: "web"}}, noTime)
	web := v1alpha1.CertificateEntry{Name: "web", Generation: certificate.Generation, Thumbprint: "AA"}
	before := newState(dir)
	before.Set(web)
	must(t, before.write())
	after := newState(dir)
	after.SetCertificates([]v1alpha1.ObservedCertificate{certificate})
	look := func(when string, wantKnown bool) {
		t.Helper()
		must(t, after.write())
		state, err := ReadState(dir)
		must(t, err)
		if _, known := after.Entry("web"); known != wantKnown || (len(Unprocessed(state)) == 0) != wantKnown {
			t.Errorf("%s: it is known: %t, unprocessed are %q", when, known, Unprocessed(state))
		}
	}
	look("after the restart", false)
	after.Set(web)
	look("when it was processed", true)
}

func TestAStateThatCannotBeReadIsAsGoodAsNone(t *testing.T) {
	dir := winetest.TempDir(t)
	must(t, os.WriteFile(StatePath(dir), []byte("certificates: 7"), 0o600))
	if previous, lastAlive := newState(dir).Load(logr.Discard()); len(previous) != 0 || !lastAlive.IsZero() {
		t.Errorf("it has %v, last alive at %s", previous, lastAlive)
	}
	if _, err := ReadState(dir); err == nil || !strings.Contains(err.Error(), StatePath(dir)) {
		t.Errorf("got error %v, want the file in it", err)
	}
	if state, err := ReadState(filepath.Join(dir, "none")); state != nil || err != nil {
		t.Errorf("without a file it is %v, error %v", state, err)
	}
}

func TestAThousandProblemsAreCut(t *testing.T) {
	dir := winetest.TempDir(t)
	state := newState(dir)
	var problems []string
	for range 1000 {
		problems = append(problems, "p")
	}
	state.SetProblems(problems)
	must(t, state.write())
	read, err := ReadState(dir)
	must(t, err)
	if shown := SettingsProblems(read); len(shown) != maxProblems+1 || !strings.Contains(shown[maxProblems], "980 more") {
		t.Errorf("it shows %q", shown)
	}
}

func TestAFolderThatCannotBeWrittenIsCountedAndTriedAgain(t *testing.T) {
	blocked := filepath.Join(winetest.TempDir(t), "state")
	must(t, os.WriteFile(blocked, nil, 0o600)) // a file where the folder should be
	state := newState(blocked)
	state.Set(v1alpha1.CertificateEntry{Name: "web", Generation: 1})
	if err := state.write(); err == nil || state.Failures() != 1 {
		t.Fatalf("got error %v and %d failures", err, state.Failures())
	}
	must(t, os.Remove(blocked))
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // one write at the start, and one at the end
	state.Keep(ctx)
	if read, err := ReadState(blocked); err != nil || read == nil || len(read.Certificates) != 1 {
		t.Errorf("got %v, error %v", read, err)
	}
}

// On Windows a file cannot be replaced at the moment that it is read.
func TestAStateIsWrittenWhileOthersReadIt(t *testing.T) {
	dir := winetest.TempDir(t)
	state := newState(dir)
	must(t, state.write())
	ctx, stop := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	for range 3 {
		reading.Go(func() {
			for ctx.Err() == nil {
				<-time.After(5 * time.Millisecond) // status and poll wait longer
				if read, err := ReadState(dir); err != nil || read == nil {
					t.Errorf("got %v, error %v", read, err)
					return
				}
			}
		})
	}
	for range 100 {
		must(t, state.write())
	}
	stop()
	reading.Wait()
}

func TestRequestsAreReadUntilTheyAreOld(t *testing.T) {
	requests := Requests{Dir: filepath.Join(winetest.TempDir(t), "state")}
	if got := requests.Read(noon); len(got) != 0 {
		t.Errorf("without a folder there are %v", got)
	}
	must(t, requests.Ask("web", noon))
	must(t, requests.Ask("con", noon.Add(-time.Hour))) // old, and a device's name on Windows
	must(t, os.WriteFile(filepath.Join(requests.folder(), "poll-half"), []byte("2026-03-"), 0o600))
	must(t, os.WriteFile(filepath.Join(requests.folder(), "notes"), []byte("x"), 0o600))
	if diff := cmp.Diff(map[string]time.Time{"web": noon}, requests.Read(noon)); diff != "" {
		t.Error(diff)
	}
	left, err := os.ReadDir(requests.folder())
	must(t, err)
	if len(left) != 2 { // web, and what is not a request
		t.Errorf("%d files are left", len(left))
	}
}

func TestTheLaterOfTwoRequestsCounts(t *testing.T) {
	annotated := func(at string) v1alpha1.ObservedCertificate {
		return v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{v1alpha1.RequestedAtAnnotation: at}}}
	}
	for _, test := range []struct {
		name, annotation string
		requested        time.Time
		want             string
	}{
		{"none", "", noTime, ""},
		{"the file's", "2026-03-01T12:00:00Z", noTime, "2026-03-01T12:00:00Z"},
		{"a person's", "", noon, "2026-03-01T12:00:00Z"},
		{"a later one in the file", "2026-03-01T13:00:00Z", noon, "2026-03-01T13:00:00Z"},
		{"a later one of a person", "2026-03-01T11:00:00Z", noon, "2026-03-01T12:00:00Z"},
		{"no time in the file", "soon", noon, "2026-03-01T12:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := requestOf(ObjectOf(annotated(test.annotation), test.requested)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
