package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

var machineFlag = flag.String("machine", "native", "native: this system's agent on the directory store; wine: the Windows agent under Wine")

var providerFlag = flag.String("provider", "CAPI", "under Wine, the keyStorageProvider of the tests' certificates: CAPI; or empty for the default, which is CNG, with the stand-in of hack/wine")

// env is what the tests share: they run one after another on one node.
var env *environment

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard()) // before the builds, which take longer than controller-runtime waits for one
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err == nil {
		env, err = newEnvironment(context.Background(), root, *machineFlag)
	}
	defer env.close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e: preparing:", err)
		return 1
	}
	code := m.Run()
	if code != 0 {
		env.printLog()
	}
	return code
}
