package rollup_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
)

// A thousand nodes with the same failure cause one event and a few status writes.
func TestAThousandNodesWithTheSameFailureCauseOneEvent(t *testing.T) {
	f := newFleet(t, ownCluster(t))
	f.startController(t, false)
	nodes := f.join(1, 1000)
	f.observe()
	f.eventually("0/1000 Unknown RollingOut")
	writes := f.countWrites()
	f.report(nodes, failingWith(version(1), v1alpha1.ReasonAccessDenied))
	var certificate *v1alpha1.ObservedCertificate
	await.That(t, "a thousand nodes are counted as failed", func() (bool, error) {
		certificate = f.eventually("v1 0/1000 False AccessDenied")
		return certificate.Status.Nodes.Failed == 1000, nil
	})
	took, count := writes()
	// At most one write every two seconds, and one more at the start and the end.
	if limit := int(took/(2*time.Second)) + 2; count > limit {
		t.Errorf("%d status writes in %s, want at most %d", count, took, limit)
	}
	t.Logf("%d status writes in %s while 1,000 nodes reported a failure", count, took.Round(time.Millisecond))
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "AccessDenied": 1})
	if len(certificate.Status.Failures) != 10 {
		t.Errorf("%d failures in the status, want the first 10", len(certificate.Status.Failures))
	}
	f.report(nodes[:500], failingWith(version(1), v1alpha1.ReasonSecretNotFound))
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "AccessDenied": 1, "SecretNotFound": 1})
}

// countWrites counts the changes of the certificate until the function that it returns is called.
func (f *fleet) countWrites() func() (took time.Duration, writes int) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	watch, err := f.watcher().Watch(ctx, &v1alpha1.ObservedCertificateList{})
	f.do(err)
	counted, start := make(chan int), time.Now()
	go func() {
		count := -1 // the first event is the current object
		for event := range watch.ResultChan() {
			if certificate, ok := event.Object.(*v1alpha1.ObservedCertificate); ok && certificate.Name == f.name {
				count++
			}
		}
		counted <- count
	}()
	return func() (time.Duration, int) {
		took := time.Since(start)
		cancel()
		return took, <-counted
	}
}

// A controller may be killed at any time: the next one continues from the current state.
func TestControllersKilledAtRandom(t *testing.T) {
	f := newFleet(t, ownCluster(t))
	f.observe()
	nodes := f.join(1, 40)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 8 {
		kill := f.startController(t, false)
		entry := version(round)
		if round%3 == 2 {
			entry = failingWith(entry, v1alpha1.ReasonSecretDisabled)
		}
		stop := time.AfterFunc(time.Duration(random.IntN(1500))*time.Millisecond, kill)
		f.report(nodes[:random.IntN(len(nodes))], entry)
		stop.Stop()
		kill()
	}
	f.report(nodes, version(100))
	f.startController(t, false)
	f.eventually("v100 40/40 True Installed")
}

// One of two controllers leads. The other takes over when it stops, and no write is lost or repeated.
func TestTheOtherControllerTakesOver(t *testing.T) {
	f := newFleet(t, ownCluster(t))
	first := f.startController(t, true)
	nodes := f.join(1, 10)
	f.observe()
	f.report(nodes[:5], version(1))
	f.eventually("v1 5/10 Unknown RollingOut")
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1}) // sent after the status, and not before it
	f.startController(t, true)
	first()
	f.report(nodes[5:], version(1))
	f.eventually("v1 10/10 True Installed")
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "RolloutCompleted": 1})
}

// Changes that are pending when the API server stops are written after it has restarted.
func TestTheAPIServerRestarts(t *testing.T) {
	f := newFleet(t, ownCluster(t))
	f.startController(t, false)
	nodes := f.join(1, 10)
	f.observe()
	for round := range 3 {
		f.report(nodes, version(round))
		f.do(f.plane.StopAPIServer())
		f.do(f.plane.StartAPIServer())
		f.eventually(fmt.Sprintf("v%d 10/10 True Installed", round))
	}
}
