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

// A thousand nodes that fail the same way are one event, and a handful of statuses.
func TestAThousandNodesThatFailAlikeAreOneEvent(t *testing.T) {
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
	// At most one write in two seconds, and one at each end.
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
	counted, began := make(chan int), time.Now()
	go func() {
		count := -1 // the first event is the object as it is
		for event := range watch.ResultChan() {
			if certificate, ok := event.Object.(*v1alpha1.ObservedCertificate); ok && certificate.Name == f.name {
				count++
			}
		}
		counted <- count
	}()
	return func() (time.Duration, int) {
		took := time.Since(began)
		cancel()
		return took, <-counted
	}
}

// A controller that is killed at any moment leaves nothing undone: another one takes up from what is there.
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

// Two controllers, of which one leads. The other takes over at once when it ends, and no write is lost or done twice.
func TestTheOtherControllerTakesOver(t *testing.T) {
	f := newFleet(t, ownCluster(t))
	first := f.startController(t, true)
	nodes := f.join(1, 10)
	f.observe()
	f.report(nodes[:5], version(1))
	f.eventually("v1 5/10 Unknown RollingOut")
	f.startController(t, true)
	first()
	f.report(nodes[5:], version(1))
	f.eventually("v1 10/10 True Installed")
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "RolloutCompleted": 1})
}

// What changes while the API server is away, and what was under way when it went, arrives when it is back.
func TestTheAPIServerGoesAndComesBack(t *testing.T) {
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
