package fleet

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBusiestIsTheFullestWindow(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		after []time.Duration
		want  int
	}{
		{"nothing", nil, 0},
		{"one", []time.Duration{0}, 1},
		{"a window ends before its length is over", []time.Duration{0, time.Second}, 1},
		{"the fullest is in the middle", []time.Duration{0, 2 * time.Second, 2500 * time.Millisecond, 2900 * time.Millisecond, 4 * time.Second}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var times []time.Time
			for _, after := range test.after {
				times = append(times, start.Add(after))
			}
			if got := Busiest(times, time.Second); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestTheAuditLogCountsWritesByKind(t *testing.T) {
	a, err := NewAudit(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const log = `{"verb":"update","objectRef":{"resource":"leases","name":"vaultpane-controller"},"stageTimestamp":"2026-01-01T00:00:00.000000Z"}
{"verb":"update","objectRef":{"resource":"leases","name":"vaultpane-controller"},"stageTimestamp":"2026-01-01T00:00:02.000000Z"}
{"verb":"update","objectRef":{"resource":"observedcertificates","subresource":"status","name":"web"},"stageTimestamp":"2026-01-01T00:00:03.000000Z"}
`
	if err := os.WriteFile(a.log, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := a.Since(time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"update leases": 1, "update observedcertificates/status": 1}, got); diff != "" {
		t.Error(diff)
	}
}
