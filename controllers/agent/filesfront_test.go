package agent_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/internal/standalone"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// front is how an engine is told what to do, and where it reports. The tests of this package run with each.
type front interface {
	// agent connects an engine, and returns how its agent runs until the context ends.
	agent(*engine.Engine) func(context.Context) error
	// create, get, update and delete are about ObservedCertificates by their full name. create completes its argument.
	create(*v1alpha1.ObservedCertificate) error
	get(name string) (*v1alpha1.ObservedCertificate, error)
	update(*v1alpha1.ObservedCertificate) error
	delete(name string) error
	// state returns what the agent reports, an empty one before it has reported.
	state() (*v1alpha1.NodeCertificateState, error)
	// processAll has the agent process every certificate, due or not.
	processAll()
	// warnings returns those about a certificate, as "reason: note".
	warnings(name string) ([]string, error)
}

// withFiles says that machines have settings files instead of a cluster.
var withFiles bool

// filesFront is the agent of a machine without a cluster. Each ObservedCertificate is a settings file.
type filesFront struct {
	*machine
	dir, stateDir string

	mu      sync.Mutex
	running *standalone.Agent
	warned  map[string][]string
}

func newFilesFront(m *machine) *filesFront {
	m.t.Helper()
	m.name = "files-" + m.name // its secrets are others than those of the test with a cluster
	var err error
	if m.cluster, err = sharedVault(); err != nil {
		m.t.Fatal(err)
	}
	f := &filesFront{machine: m, dir: winetest.TempDir(m.t), stateDir: winetest.TempDir(m.t), warned: map[string][]string{}}
	// With another file, the folder is never empty: an empty one is no wish to remove everything.
	m.must(os.WriteFile(filepath.Join(f.dir, "none.json"), []byte(`{"observedCertificates": []}`), 0o600))
	return f
}

// agent implements front.
func (f *filesFront) agent(certificates *engine.Engine) func(context.Context) error {
	log := f.log.logger()
	source := &standalone.Source{Grace: 200 * time.Millisecond, Now: time.Now}
	state := &standalone.State{Dir: f.stateDir, Machine: f.name, AgentVersion: "test", Now: f.clock.Now}
	previous, _ := state.Load(log)
	certificates.Certificates, certificates.Reports = source, state
	certificates.Previous, certificates.Incomplete = previous, source.Incomplete
	running := &standalone.Agent{
		Files: &standalone.Files{Paths: []string{f.dir}}, Source: source, Requests: standalone.Requests{Dir: f.stateDir}, State: state,
		Engine: certificates, Workers: 4, StoreCheckInterval: checkInterval, Processed: f.reconciles.count, Warn: f.warn,
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = running
	return func(ctx context.Context) error {
		running.Run(logr.NewContext(ctx, log))
		return nil
	}
}

func (f *filesFront) warn(name string, warning failure.Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.warned[name] = append(f.warned[name], string(warning.Reason)+": "+warning.Message)
}

func (f *filesFront) path(name string) string { return filepath.Join(f.dir, name+".yaml") }

// create implements front. The defaults, UID and generation are those that the agent gives it.
func (f *filesFront) create(certificate *v1alpha1.ObservedCertificate) error {
	if err := f.update(certificate); err != nil {
		return err
	}
	created, err := f.get(certificate.Name)
	if err == nil {
		*certificate = *created
	}
	return err
}

// get implements front.
func (f *filesFront) get(name string) (*v1alpha1.ObservedCertificate, error) {
	reader, err := settings.NewReader()
	if err != nil {
		return nil, err
	}
	file, err := reader.ReadFile(f.path(name))
	if err != nil {
		return nil, err
	}
	return standalone.ObjectOf(file.Certificates[0], time.Time{}), nil
}

// update implements front. The file appears in one step.
func (f *filesFront) update(certificate *v1alpha1.ObservedCertificate) error {
	certificate.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ObservedCertificate"))
	text, err := yaml.Marshal(certificate)
	if err != nil {
		return err
	}
	unfinished := filepath.Join(f.dir, "."+certificate.Name)
	if err := os.WriteFile(unfinished, text, 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, f.path(certificate.Name))
}

// delete implements front.
func (f *filesFront) delete(name string) error { return os.Remove(f.path(name)) }

// state implements front.
func (f *filesFront) state() (*v1alpha1.NodeCertificateState, error) {
	state, err := standalone.ReadState(f.stateDir)
	if state == nil {
		state = &v1alpha1.NodeCertificateState{}
	}
	return state, err
}

// processAll implements front.
func (f *filesFront) processAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running.ProcessAll(f.t.Context())
}

// warnings implements front.
func (f *filesFront) warnings(name string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.warned[name]), nil
}
