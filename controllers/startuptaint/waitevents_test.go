package startuptaint

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vaultpane/vaultpane/internal/startupwait"
)

func TestAWaitHasOneEventAfterASettleTime(t *testing.T) {
	created := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	type step struct {
		at          time.Duration // after the creation
		key         string
		needsAction bool
		emit        bool
		again       time.Duration
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"a new node has no event for a minute", []step{
			{5 * time.Second, "agent", false, false, 55 * time.Second},
			{30 * time.Second, "web=Pending", false, false, 30 * time.Second},
			{59 * time.Second, "web=Pending", false, false, time.Second},
			{60 * time.Second, "web=Pending", false, true, time.Hour},
		}},
		{"unless a person must act", []step{
			{5 * time.Second, "web=AccessDenied", true, false, 10 * time.Second},
			{15 * time.Second, "web=AccessDenied", true, true, time.Hour},
		}},
		{"the same wait has no second event", []step{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{11 * time.Minute, "web=AccessDenied", true, true, time.Hour},
			{12 * time.Minute, "web=AccessDenied", true, false, 59 * time.Minute},
		}},
		{"but another one after the event expired", []step{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{11 * time.Minute, "web=AccessDenied", true, true, time.Hour},
			{71 * time.Minute, "web=AccessDenied", true, true, time.Hour},
		}},
		{"a short wait has no event", []step{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{10*time.Minute + 9*time.Second, "web=Pending", false, false, 10 * time.Second},
			{10*time.Minute + 18*time.Second, "web=AccessDenied", true, false, 10 * time.Second},
		}},
		{"a new wait has an event", []step{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{11 * time.Minute, "web=AccessDenied", true, true, time.Hour},
			{12 * time.Minute, "web=SecretNotFound", true, false, 10 * time.Second},
			{13 * time.Minute, "web=SecretNotFound", true, true, time.Hour},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var known waitRecord
			for _, step := range test.steps {
				now := created.Add(step.at)
				updated, emit, again := known.next(step.key, step.needsAction, created, now)
				if emit != step.emit || again != step.again {
					t.Errorf("after %s: emit %v and again in %s, want %v and %s", step.at, emit, again, step.emit, step.again)
				}
				if known = updated; emit {
					known.emitted, known.emittedAt = known.key, now
				}
			}
		})
	}
}

// eventCount is a recorder that counts.
type eventCount int

func (c *eventCount) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...any) {
	*c++
}

func TestAThousandNodesWithTheSameFailureDoNotCauseAThousandEvents(t *testing.T) {
	now, count := time.Now(), eventCount(0)
	r := &Reconciler{Events: &count, Now: func() time.Time { return now }, Registry: prometheus.NewRegistry()}
	if err := r.prepare(); err != nil {
		t.Fatal(err)
	}
	denied := startupwait.Wait{Certificates: []startupwait.Missing{{Name: "web", State: "Failed", Reason: "AccessDenied", Message: "403"}}}
	start := time.Now()
	for range 2 {
		for i := range 1000 {
			name := fmt.Sprintf("node-%d", i)
			r.reportWait(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}, denied)
		}
		now = now.Add(2 * settleTime)
	}
	if most := eventBurst + eventsPerSecond*(1+int(time.Since(start).Seconds())); int(count) < eventBurst || int(count) > most {
		t.Errorf("a thousand nodes wrote %d events, want %d to %d", count, eventBurst, most)
	}
}
