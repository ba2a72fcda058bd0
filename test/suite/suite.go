// Package suite is what the test suites of several packages share.
package suite

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Run is the body of a TestMain: it sends the logs of the client libraries to log, runs the tests, at most parallel at once
// (empty for Go's default), stops what they shared, and returns the exit code.
func Run(m *testing.M, log logr.Logger, parallel string, stop func() error) int {
	flag.Parse()
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if parallel != "" {
		if err := flag.Set("test.parallel", parallel); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		return 1
	}
	return code
}
