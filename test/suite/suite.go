// Package suite is what the test suites of several packages share.
package suite

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/controlplane"
)

var (
	mu    sync.Mutex
	stops []func() error
)

// AtEnd has Run call stop after the tests, the last one first. It is for what tests share, such as a control plane.
func AtEnd(stop func() error) {
	mu.Lock()
	defer mu.Unlock()
	stops = append(stops, stop)
}

// Run is the body of a TestMain: it sends the logs of the client libraries to log, runs the tests, at most parallel at once
// (empty for Go's default), stops what they shared (AtEnd), and returns the exit code. With variants, the tests run once for each,
// after it was called.
func Run(m *testing.M, log logr.Logger, parallel string, variants ...func()) int {
	flag.Parse()
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if parallel != "" {
		if err := flag.Set("test.parallel", parallel); err != nil {
			panic(err)
		}
	}
	if len(variants) == 0 {
		variants = []func(){func() {}}
	}
	code := 0
	for _, begin := range variants {
		begin()
		code = max(code, m.Run())
	}
	mu.Lock()
	defer mu.Unlock()
	for _, stop := range slices.Backward(stops) {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping what the tests shared:", err)
			code = 1
		}
	}
	return code
}

// Plane starts a control plane that the tests of a package share, and stops it after them.
func Plane(ctx context.Context) (*controlplane.ControlPlane, error) {
	plane, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return nil, fmt.Errorf("%w\n(%s)", err, controlplane.AssetsHint)
	}
	AtEnd(plane.Stop)
	return plane, nil
}

// Scheme returns a scheme with Kubernetes' own types and Vaultpane's, as the programs use it. It panics where that fails.
func Scheme() *runtime.Scheme {
	types, err := scheme.New()
	if err != nil {
		panic(err)
	}
	return types
}
