package rollup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/rollup/writequeue"
)

// gauges returns the gauges of an index in text format, sorted, without those of the oldest overdue write and poll.
func gauges(t *testing.T, x *index, now time.Time) []string {
	t.Helper()
	x.markComplete()
	registry := prometheus.NewRegistry()
	r := &Rollup{Now: func() time.Time { return now }, Registry: registry, index: x, queue: writequeue.New(), instruments: newInstruments(),
		Options: Options{ExpiringSoon: time.Hour, Version: "v1.2.3"}}
	if err := r.register(); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			if metric.GetGauge() != nil && !strings.Contains(family.GetName(), "oldest") {
				lines = append(lines, fmt.Sprintf("%s{%s} %.0f", strings.TrimPrefix(family.GetName(), "vaultpane_"), strings.Join(labels, ","), metric.GetGauge().GetValue()))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func TestTheGaugesOfACertificate(t *testing.T) {
	end := fmt.Sprint("certificate_expiration_timestamp_seconds{web} ", nextDay.Unix())
	suspended := with(one, func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended
	})
	tests := []struct {
		name   string
		fleet  fleet
		change func(*desired)
		at     time.Time
		want   []string
	}{
		{"a program that failed", fleet{{2, with(one, func(e *v1alpha1.CertificateEntry) {
			e.Reason, e.Uses = v1alpha1.ReasonUseFailed, []v1alpha1.UseState{{Name: "remoteDesktop", State: v1alpha1.UseFailed}}
		})}}, func(d *desired) { d.uses = []string{"remoteDesktop"} }, noon, []string{
			end, "certificate_matched_nodes{web} 2", "certificate_nodes{web,Installed,installed} 2", "certificate_ready{web} 1", "certificate_suspended{web} 0", "certificate_sync_failing{web} 0", "certificate_use_failed_nodes{web} 2"}},
		{"installed", fleet{{2, one}}, nil, noon, []string{
			end, "certificate_matched_nodes{web} 2", "certificate_nodes{web,Installed,installed} 2", "certificate_ready{web} 1", "certificate_suspended{web} 0", "certificate_sync_failing{web} 0"}},
		{"polls fail", fleet{{1, one}, {1, unsynced(v1alpha1.ReasonThrottled)}}, nil, noon, []string{
			end, "certificate_matched_nodes{web} 2", "certificate_nodes{web,Installed,installed} 2", "certificate_ready{web} 1", "certificate_suspended{web} 0", "certificate_sync_failing{web} 1"}},
		{"no node is selected", fleet{{2, one}}, func(w *desired) { *w = forPool("wbe") }, noon, []string{
			"certificate_matched_nodes{web} 0", "certificate_ready{web} 0", "certificate_suspended{web} 0", "certificate_sync_failing{web} 0"}},
		{"suspended", fleet{{2, suspended}}, func(w *desired) { w.suspended = true }, noon, []string{
			end, "certificate_matched_nodes{web} 2", "certificate_nodes{web,Installed,installed} 2", "certificate_ready{web} 1", "certificate_suspended{web} 1", "certificate_sync_failing{web} 0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := testDesired()
			if test.change != nil {
				test.change(&w)
			}
			want := append([]string{"agent_nodes{not_reporting} 0", "agent_nodes{reporting} 2"}, test.want...)
			want = append(want, "controller_build_info{v1.2.3} 1")
			if diff := cmp.Diff(want, gauges(t, test.fleet.index(t, w), test.at)); diff != "" {
				t.Errorf("gauges (-want +got):\n%s", diff)
			}
		})
	}
}

// The gauge that is 1 where the condition Ready is True.
func TestTheGaugeOfReadinessIsTheCondition(t *testing.T) {
	suspended := testDesired()
	suspended.suspended = true
	for name, x := range map[string]*index{
		"near expiry with failing polls": fleet{{1, unsynced(v1alpha1.ReasonThrottled)}}.index(t, testDesired()),
		"no node":                        fleet{}.index(t, testDesired()),
		"suspended too early":            fleet{{1, v1alpha1.CertificateEntry{}}}.index(t, suspended),
	} {
		now := nextDay.Add(-30 * time.Minute)
		for _, n := range x.nodes {
			n.renewed = now
		}
		x.tick(now)
		ready := readyOf(statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, now))
		if slices.Contains(gauges(t, x, now), "certificate_ready{web} 1") {
			t.Errorf("%s: the gauge is 1, but Ready is %s %s", name, ready.Status, ready.Reason)
		}
	}
}

func TestAgentsAreCountedByVersion(t *testing.T) {
	x := newIndex(windows)
	for name, version := range map[string]string{"a": "v1", "b": "v1", "c": "v2"} {
		f := testNode(name)
		f.state.AgentVersion = version
		x.observeNode(name, f, noon)
	}
	got := gauges(t, x, noon)
	for _, want := range []string{"agent_version_nodes{v1} 2", "agent_version_nodes{v2} 1"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %q", want, got)
		}
	}
}
