package agent_test

import (
	"context"
	"net/http"
	"strconv"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/test/install"
)

// clusterFront is the agent of a node in a cluster.
type clusterFront struct {
	*machine
	node   *corev1.Node
	config *rest.Config // with a token of the node's agent
}

func newClusterFront(m *machine) *clusterFront {
	m.t.Helper()
	var err error
	if m.cluster, err = sharedCluster(); err != nil {
		m.t.Fatal(err)
	}
	f := &clusterFront{machine: m, node: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: m.name, Labels: map[string]string{machineLabel: m.name}}}}
	if err := m.kube.Create(m.t.Context(), f.node); err != nil {
		m.t.Fatal(err)
	}
	if f.config, err = install.AgentConfig(m.t.Context(), m.plane, m.name); err != nil {
		m.t.Fatal(err)
	}
	f.config.Wrap(func(transport http.RoundTripper) http.RoundTripper {
		return countRequests{transport, &m.configMapRequests, &m.configMapFails}
	})
	return f
}

// agent implements front.
func (f *clusterFront) agent(certificates *engine.Engine) func(context.Context) error {
	f.t.Helper()
	mgr := f.newManager()
	reporter := &report.Reporter{Client: mgr.GetClient(), Node: f.name, NodeUID: f.node.UID, AgentVersion: "test", Now: f.clock.Now}
	previous, err := reporter.Load(f.t.Context())
	f.must(err)
	selection := agent.Selection{Client: &countingClient{mgr.GetClient(), f.reconciles}, Node: f.name}
	certificates.Certificates, certificates.Reports, certificates.Previous = selection, reporter, previous
	f.publications = &agent.Publications{Selection: selection, Leases: mgr.GetCache(), Now: f.clock.Now}
	certificates.Publications = f.publications
	reconciler := agent.New(agent.Options{Workers: 4, StoreCheckInterval: checkInterval}, selection, certificates, reporter, mgr.GetEventRecorder("vaultpane-agent"))
	reconciler.Publications = f.publications
	f.configMaps, err = agent.NewConfigMaps(mgr, install.Namespace)
	f.must(err)
	certificates.ConfigMaps, reconciler.ConfigMaps = f.configMaps, f.configMaps
	f.must(reconciler.SetupWithManager(mgr))
	f.must(mgr.Add(reporter))
	return mgr.Start
}

// newManager makes a manager as the agent's process does, with the rights of its service account.
func (f *clusterFront) newManager() ctrl.Manager {
	f.t.Helper()
	again, soon := true, time.Second
	mgr, err := ctrl.NewManager(f.config, ctrl.Options{
		Scheme: scheme, Logger: f.log.logger(), Metrics: metricsserver.Options{BindAddress: "0"}, GracefulShutdownTimeout: &soon,
		Controller: config.Controller{SkipNameValidation: &again}, // this process has several agents, one after another
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.Node{}: {Field: fields.OneTermEqualSelector("metadata.name", f.node.Name)},
			&coordinationv1.Lease{}: {Namespaces: map[string]cache.Config{
				install.Namespace: {FieldSelector: fields.OneTermEqualSelector("metadata.name", heartbeat.VersionWatch)},
			}},
		}},
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&v1alpha1.NodeCertificateState{}}}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return mgr
}

// create implements front.
func (f *clusterFront) create(certificate *v1alpha1.ObservedCertificate) error {
	if certificate.Spec.NodeSelector == nil {
		certificate.Spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{machineLabel: v1alpha1.LabelValue(f.name)}}
	}
	return f.kube.Create(f.t.Context(), certificate)
}

// get implements front.
func (f *clusterFront) get(name string) (*v1alpha1.ObservedCertificate, error) {
	certificate := &v1alpha1.ObservedCertificate{}
	return certificate, f.kube.Get(f.t.Context(), client.ObjectKey{Name: name}, certificate)
}

// update implements front.
func (f *clusterFront) update(certificate *v1alpha1.ObservedCertificate) error {
	return f.kube.Update(f.t.Context(), certificate)
}

// delete implements front.
func (f *clusterFront) delete(name string) error {
	return f.kube.Delete(f.t.Context(), &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}})
}

// state implements front.
func (f *clusterFront) state() (*v1alpha1.NodeCertificateState, error) {
	state := &v1alpha1.NodeCertificateState{}
	err := f.kube.Get(f.t.Context(), client.ObjectKey{Name: f.name}, state)
	if apierrors.IsNotFound(err) {
		return state, nil
	}
	return state, err
}

// processAll implements front: it changes a label of the node.
func (f *clusterFront) processAll() {
	f.t.Helper()
	f.changeNode(func(node *corev1.Node) {
		count, _ := strconv.Atoi(node.Labels[pokeLabel]) // 0 before the first
		node.Labels[pokeLabel] = strconv.Itoa(count + 1)
	})
}

// label sets a label of the node.
func (f *clusterFront) label(key, value string) {
	f.t.Helper()
	f.changeNode(func(node *corev1.Node) { node.Labels[key] = value })
}

func (f *clusterFront) changeNode(change func(*corev1.Node)) {
	f.t.Helper()
	f.eventually("the node takes a label", func() (bool, error) {
		var node corev1.Node
		if err := f.kube.Get(f.t.Context(), client.ObjectKey{Name: f.name}, &node); err != nil {
			return false, err
		}
		change(&node)
		return true, f.kube.Update(f.t.Context(), &node)
	})
}

// warnings implements front: they are events of the node.
func (f *clusterFront) warnings(name string) ([]string, error) {
	var list eventsv1.EventList
	if err := f.kube.List(f.t.Context(), &list); err != nil {
		return nil, err
	}
	var notes []string
	for _, event := range list.Items {
		if event.Regarding.Kind == "Node" && event.Regarding.Name == f.name && event.Related != nil && event.Related.Name == name {
			note := event.Reason + ": " + event.Note
			if event.Series != nil {
				note = "again: " + note
			}
			notes = append(notes, note)
		}
	}
	return notes, nil
}
