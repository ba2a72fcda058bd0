package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
)

// TestAStateIsAlwaysWritable writes the states of nodes with as many certificates as a node can have.
func TestAStateIsAlwaysWritable(t *testing.T) {
	const certificates = 5000
	_, kube := cluster(t)
	end := metav1.NewTime(time.Date(2027, 11, 28, 0, 0, 0, 0, time.UTC))
	well := func(i int) v1alpha1.CertificateEntry {
		return v1alpha1.CertificateEntry{
			Name: fmt.Sprintf("certificate-%04d.example.com", i), Generation: 12, Version: strings.Repeat("0", 32),
			Thumbprint: strings.Repeat("A", 40), NotAfter: &end, RequestedAt: "2026-11-28T00:00:00Z",
		}
	}
	tests := []struct {
		name     string
		entry    func(i int) v1alpha1.CertificateEntry
		count    int
		messages bool // some are left out
		entries  bool // some are left out
	}{
		{"all well", well, certificates, false, false},
		{"all failing, with the longest messages", func(i int) v1alpha1.CertificateEntry {
			return v1alpha1.CertificateEntry{
				Name: fmt.Sprintf("certificate-%04d.example.com", i), Generation: 12, State: v1alpha1.StateFailed,
				Reason: v1alpha1.ReasonAccessDeniedByFirewall, Message: strings.Repeat("m", 2000),
			}
		}, certificates, true, false},
		{"the longest names, all in place with polls that fail", func(i int) v1alpha1.CertificateEntry {
			entry := well(i)
			entry.Name = fmt.Sprintf("%s.%04d", strings.Repeat(strings.Repeat("n", 60)+".", 4), i)
			entry.Reason, entry.Message = v1alpha1.ReasonThrottled, strings.Repeat("m", 2000)
			return entry
		}, certificates, true, true},
	}
	for number, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			node := newNode(t, kube, fmt.Sprintf("node-%d", number))
			reporter, _ := newReporter(t, kube, node)
			worst := v1alpha1.CertificateEntry{Name: "worst", Generation: 1, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonInvalidURL, Message: "what to do"}
			reporter.Set(worst)
			for i := range test.count {
				reporter.Set(test.entry(i))
			}
			eventually(t, "the state", func() bool {
				state := stateOf(t, kube, node.Name)
				return state != nil && len(state.Certificates) > 1000
			})
			state := stateOf(t, kube, node.Name)
			text, err := json.Marshal(state)
			if err != nil {
				t.Fatal(err)
			}
			omitted := v1alpha1.Omitted{}
			if state.Omitted != nil {
				omitted = *state.Omitted
			}
			t.Logf("%d entries in %d bytes, left out are %d messages and %d entries", len(state.Certificates), len(text), omitted.Messages, omitted.Certificates)
			if (omitted.Messages > 0) != test.messages || (omitted.Certificates > 0) != test.entries {
				t.Errorf("left out are %+v", omitted)
			}
			if int(omitted.Certificates)+len(state.Certificates) != test.count+1 {
				t.Errorf("%d entries and %d that are left out are not %d", len(state.Certificates), omitted.Certificates, test.count+1)
			}
			if last := state.Certificates[len(state.Certificates)-1]; last.Name != "worst" || last.Message != worst.Message {
				t.Errorf("the worst is reported as %+v", last)
			}
		})
	}
}

func TestAnEntryThatTheAPIServerRefusesKeepsNoOtherFromBeingReported(t *testing.T) {
	_, kube := cluster(t)
	node := newNode(t, kube, "node")
	reporter, _ := newReporter(t, kube, node)
	odd := v1alpha1.CertificateEntry{Name: "odd", Generation: 3, Version: "no version", Thumbprint: "AA"}
	other := v1alpha1.CertificateEntry{Name: "other", Generation: 1, Version: "v1.0_a-" + strings.Repeat("b", 121), Thumbprint: "BB"}
	reporter.Set(odd)
	reporter.Set(other)
	eventually(t, "both", func() bool {
		state := stateOf(t, kube, node.Name)
		return state != nil && len(state.Certificates) == 2
	})
	state := stateOf(t, kube, node.Name)
	if got := state.Certificates[0]; got.State != v1alpha1.StateFailed || got.Reason != v1alpha1.ReasonInternalError || !strings.Contains(got.Message, "version") || got.Version != "" {
		t.Errorf("the refused one is reported as %+v", got)
	}
	for range 3 { // at each look the agent sets it again
		reporter.Set(odd)
		eventually(t, "all is written", func() bool { return reporter.Unwritten().IsZero() })
	}
	if again := stateOf(t, kube, node.Name); again.ResourceVersion != state.ResourceVersion || reporter.WriteFailures() > 1 {
		t.Errorf("the same refused entry was written again: resource version %s became %s, %d writes failed", state.ResourceVersion, again.ResourceVersion, reporter.WriteFailures())
	}
	if got := state.Certificates[1]; got.Version != other.Version {
		t.Errorf("the other is reported as %+v", got)
	}
}

func TestTextIsSafeForATerminalAndForYAML(t *testing.T) {
	_, kube := cluster(t)
	node := newNode(t, kube, "node")
	reporter, _ := newReporter(t, kube, node)
	reporter.Set(v1alpha1.CertificateEntry{
		Name: "web", Generation: 1, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonAccessDenied,
		Message: "a\u009bb\nc\x1b[31md\u2028e\u202ef\xff" + strings.Repeat("ö", 2000),
	})
	eventually(t, "the entry", func() bool { return stateOf(t, kube, node.Name) != nil })
	message := stateOf(t, kube, node.Name).Certificates[0].Message
	if strings.ContainsAny(message, "\u009b\n\x1b\u2028\u202e") || len([]rune(message)) != v1alpha1.MaxMessageLength {
		t.Errorf("%d characters: %.40q", len([]rune(message)), message)
	}
}

// refusing is a client whose writes of states fail while it is shut.
type refusing struct {
	client.Client
	shut atomic.Bool
}

func (c *refusing) refuse(object client.Object) error {
	if _, isState := object.(*v1alpha1.NodeCertificateState); isState && c.shut.Load() {
		return errors.New("nodecertificatestates is forbidden")
	}
	return nil
}

func (c *refusing) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	if err := c.refuse(object); err != nil {
		return err
	}
	return c.Client.Create(ctx, object, options...)
}

func (c *refusing) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	if err := c.refuse(object); err != nil {
		return err
	}
	return c.Client.Update(ctx, object, options...)
}

func TestAReportThatCannotBeWrittenIsCountedAndShownByTheLease(t *testing.T) {
	_, admin := cluster(t)
	node := newNode(t, admin, "node")
	if err := admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "vaultpane-system"}}); err != nil {
		t.Fatal(err)
	}
	kube := &refusing{Client: admin}
	reporter, _ := newReporter(t, kube, node)
	eventually(t, "the first write", func() bool { return reporter.Unwritten().IsZero() })
	kube.shut.Store(true)
	reporter.Set(v1alpha1.CertificateEntry{Name: "web", Generation: 1, Thumbprint: "AA"})
	eventually(t, "a failure", func() bool { return reporter.WriteFailures() > 0 })
	since := reporter.Unwritten()
	if since.IsZero() {
		t.Fatal("nothing is said to be unwritten")
	}

	var ahead atomic.Int64 // of the Lease's clock
	lease := &report.Lease{
		Client: kube, Namespace: "vaultpane-system", Node: node.Name, NodeUID: node.UID, Unwritten: reporter.Unwritten,
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	}
	shown := func() time.Time {
		var stored coordinationv1.Lease
		if err := admin.Get(t.Context(), types.NamespacedName{Namespace: "vaultpane-system", Name: node.Name}, &stored); err != nil {
			return time.Time{}
		}
		return heartbeat.UnwrittenSince(&stored)
	}
	if err := lease.Renew(t.Context()); err != nil || !shown().IsZero() {
		t.Errorf("within the first minute the Lease says %v, %v", shown(), err)
	}
	ahead.Store(int64(2 * time.Minute))
	if err := lease.Renew(t.Context()); err != nil || !shown().Equal(since.Truncate(time.Second)) {
		t.Errorf("the Lease says %v, want %v (%v)", shown(), since, err)
	}
	kube.shut.Store(false)
	eventually(t, "the report", func() bool { return reporter.Unwritten().IsZero() })
	if err := lease.Renew(t.Context()); err != nil || !shown().IsZero() {
		t.Errorf("after the report is written the Lease says %v, %v", shown(), err)
	}
}
