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
)

func TestAWaitIsToldOnceWhenItHasStoodForAMoment(t *testing.T) {
	created := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	type look struct {
		at     time.Duration // after the creation
		waits  string
		failed bool
		say    bool
		again  time.Duration
	}
	tests := []struct {
		name  string
		looks []look
	}{
		{"a young node is left alone for a minute", []look{
			{5 * time.Second, "agent", false, false, 55 * time.Second},
			{30 * time.Second, "web=Pending", false, false, 30 * time.Second},
			{59 * time.Second, "web=Pending", false, false, time.Second},
			{60 * time.Second, "web=Pending", false, true, time.Hour},
		}},
		{"unless somebody must act", []look{
			{5 * time.Second, "web=AccessDenied", true, false, 10 * time.Second},
			{15 * time.Second, "web=AccessDenied", true, true, time.Hour},
		}},
		{"the same is not said again", []look{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{11 * time.Minute, "web=AccessDenied", true, true, time.Hour},
			{12 * time.Minute, "web=AccessDenied", true, false, 59 * time.Minute},
		}},
		{"but again when the event is gone", []look{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{11 * time.Minute, "web=AccessDenied", true, true, time.Hour},
			{71 * time.Minute, "web=AccessDenied", true, true, time.Hour},
		}},
		{"what passes is not said", []look{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{10*time.Minute + 9*time.Second, "web=Pending", false, false, 10 * time.Second},
			{10*time.Minute + 18*time.Second, "web=AccessDenied", true, false, 10 * time.Second},
		}},
		{"what is new is said", []look{
			{10 * time.Minute, "web=AccessDenied", true, false, 10 * time.Second},
			{11 * time.Minute, "web=AccessDenied", true, true, time.Hour},
			{12 * time.Minute, "web=SecretNotFound", true, false, 10 * time.Second},
			{13 * time.Minute, "web=SecretNotFound", true, true, time.Hour},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var known told
			for _, look := range test.looks {
				now := created.Add(look.at)
				updated, say, again := known.next(look.waits, look.failed, created, now)
				if say != look.say || again != look.again {
					t.Errorf("after %s: said %v and looks again in %s, want %v and %s", look.at, say, again, look.say, look.again)
				}
				if known = updated; say {
					known.said, known.saidAt = known.waits, now
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

func TestAThousandNodesWithTheSameTroubleAreNotAThousandEvents(t *testing.T) {
	now, count := time.Now(), eventCount(0)
	r := &Reconciler{Events: &count, Now: func() time.Time { return now }, Registry: prometheus.NewRegistry()}
	if err := r.prepare(); err != nil {
		t.Fatal(err)
	}
	denied := wait{certificates: []missing{lackingFor("web", "Failed", "AccessDenied", "403")}}
	began := time.Now()
	for range 2 {
		for i := range 1000 {
			name := fmt.Sprintf("node-%d", i)
			r.tell(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}, denied)
		}
		now = now.Add(2 * settled)
	}
	if most := tellBurst + tellPerSecond*(1+int(time.Since(began).Seconds())); int(count) < tellBurst || int(count) > most {
		t.Errorf("a thousand nodes wrote %d events, want %d to %d", count, tellBurst, most)
	}
}
