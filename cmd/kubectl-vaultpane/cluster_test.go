package main

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/controllers/rollup"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/fleet"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/suite"
)

// site is a cluster for the commands: a real API server, the controller that computes the statuses, and a fleet of nodes.
type site struct {
	t          *testing.T
	plane      *controlplane.ControlPlane
	kube       client.Client // the administrator's
	kubeconfig string
	fleet      *fleet.Fleet
}

// newSite starts an API server without anything of ours.
func newSite(t *testing.T) *site {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	s := &site{t: t, plane: controlplane.ForTest(t), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	err := s.plane.WriteKubeconfig(s.kubeconfig)
	if err == nil {
		s.kube, err = client.New(s.plane.Config(), client.Options{Scheme: suite.Scheme()})
	}
	if err == nil {
		s.fleet, err = fleet.New(s.plane.Config())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// install installs Vaultpane with its controller.
func (s *site) install() {
	s.t.Helper()
	if err := install.Everything(s.t.Context(), s.plane, filepath.Join("..", "..")); err != nil {
		s.t.Fatal(err)
	}
	unnamed := true
	mgr, err := ctrl.NewManager(s.plane.Config(), ctrl.Options{
		Scheme: suite.Scheme(), Cache: rollup.CacheOptions(install.Namespace), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &unnamed},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	roll := &rollup.Rollup{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("vaultpane-controller"), Now: time.Now,
		Registry: prometheus.NewRegistry(),
		Options:  rollup.Options{Namespace: install.Namespace, Agents: labels.SelectorFromSet(labels.Set{"kubernetes.io/os": "windows"}), ExpiringSoon: 24 * time.Hour, WatchEvents: 5000},
	}
	if err := roll.SetupWithManager(mgr); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the controller ended: %v", err)
		}
	})
}

// output is what a command prints, also while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run runs a command, and returns what it prints on both streams and its exit code.
func (s *site) run(arguments ...string) (string, int) {
	s.t.Helper()
	return s.runInto(s.t.Context(), &output{}, arguments...)
}

// runInto is run for a command that is watched while it runs, or ended by the context.
func (s *site) runInto(ctx context.Context, out *output, arguments ...string) (string, int) {
	return execute(ctx, out, append(arguments, "--kubeconfig", s.kubeconfig)...)
}

// execute runs a command as main does.
func execute(ctx context.Context, out *output, arguments ...string) (string, int) {
	root := newRoot(terminal.Streams{In: strings.NewReader(""), Out: out, Err: out, UTF8: true})
	code := cli.ExitCode("kubectl vaultpane", run(ctx, root, arguments), out)
	return out.String(), code
}

// expect runs a command and requires its exit code and parts of what it prints.
func (s *site) expect(code int, parts []string, arguments ...string) string {
	s.t.Helper()
	text, got := s.run(arguments...)
	if got != code {
		s.t.Errorf("%v: exit code %d, want %d; it printed:\n%s", arguments, got, code, text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.t.Errorf("%v: %q is missing in:\n%s", arguments, part, text)
		}
	}
	return text
}

// report has the fleet's agents report.
func (s *site) report(entry fleet.Entry) {
	s.t.Helper()
	if _, err := s.fleet.Report(s.t.Context(), entry); err != nil {
		s.t.Fatal(err)
	}
}

// certificate reads an ObservedCertificate.
func (s *site) certificate(name string) (*v1alpha1.ObservedCertificate, error) {
	certificate := &v1alpha1.ObservedCertificate{}
	return certificate, s.kube.Get(s.t.Context(), client.ObjectKey{Name: name}, certificate)
}

// await waits until the controller has written a status.
func (s *site) await(name, what string, holds func(*v1alpha1.ObservedCertificate) bool) {
	s.t.Helper()
	await.That(s.t, name+" "+what, func() (bool, error) {
		certificate, err := s.certificate(name)
		return err == nil && holds(certificate), err
	})
}
