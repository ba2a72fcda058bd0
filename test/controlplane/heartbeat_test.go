package controlplane

import (
	"strings"
	"testing"
	"time"
)

func TestTheProgressOfABuildIsTrueToItsEnd(t *testing.T) {
	building := step{what: "etcd", usual: time.Minute}
	for passed, want := range map[time.Duration]string{
		15 * time.Second: "Building etcd (step 1 of 2): 15s so far; an idle machine of two cores takes 1m0s for it",
		time.Hour:        "Building etcd (step 1 of 2): 1h0m0s so far; this machine takes longer than the usual 1m0s; the build continues",
	} {
		if got := progress(building, "step 1 of 2", passed); got != want {
			t.Errorf("after %s: got %q, want %q", passed, got, want)
		}
	}
}

func TestEachStepOfABuildSaysItself(t *testing.T) {
	for _, step := range []step{stepEtcd, stepAPIServer, stepControllers, stepKubelet} {
		if got := progress(step, "step 1 of 1", time.Second); !strings.Contains(got, step.what) || step.usual <= 0 || step.run == nil {
			t.Errorf("%q says %q", step.what, got)
		}
	}
}
