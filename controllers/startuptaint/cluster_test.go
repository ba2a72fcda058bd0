package startuptaint_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/suite"
)

// cluster is a real API server with the CRDs. The tests of this package share it and run sequentially, because a reconciler
// handles every node.
type cluster struct {
	plane      *controlplane.ControlPlane
	kube       client.Client // the administrator's
	controller *rest.Config  // the controller's service account's, with the rights in doc.go
}

var scheme = suite.Scheme()

// sharedCluster starts with the first test that needs it.
var sharedCluster = sync.OnceValues(startCluster)

var log = &logBuffer{}

func TestMain(m *testing.M) {
	os.Exit(suite.Run(m, log.logger(), ""))
}

// newCluster returns the cluster without nodes, reports and certificates, and empties it when the test ends.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	controlplane.SkipWithout(t)
	shared, err := sharedCluster()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last lines of the log:\n%s", log.end())
		}
		for _, kind := range []client.Object{&corev1.Node{}, &v1alpha1.NodeCertificateState{}, &v1alpha1.ObservedCertificate{}} {
			if err := shared.kube.DeleteAllOf(context.Background(), kind); err != nil {
				t.Errorf("emptying the cluster: %v", err)
			}
		}
	})
	return shared
}

func startCluster() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	plane, err := suite.Plane(ctx)
	if err != nil {
		return nil, err
	}
	c := &cluster{plane: plane}
	if err := install.Everything(ctx, plane, filepath.Join("..", "..")); err != nil {
		return nil, err
	}
	if c.kube, err = client.New(plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return nil, err
	}
	const account = "system:serviceaccount:vaultpane-system:vaultpane-controller"
	c.controller, err = plane.UserConfig(account, "system:serviceaccounts", "system:serviceaccounts:vaultpane-system")
	return c, err
}

// logBuffer collects the log.
type logBuffer struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (b *logBuffer) logger() logr.Logger {
	return funcr.New(func(prefix, line string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.lines.WriteString(prefix + " " + line + "\n")
	}, funcr.Options{Verbosity: 1, LogTimestamp: true})
}

// end returns the last few kilobytes.
func (b *logBuffer) end() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.lines.String()
	return text[max(0, len(text)-4000):]
}
