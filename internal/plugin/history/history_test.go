package history

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/status"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

var update = flag.Bool("update", false, "write the golden files")

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const (
	oldVersion = "170e83b97d0676b6db60e0bc09431224"
	newVersion = "5bbe093aa85df6a9d4924a1e20dda479"
	oldPrint   = "170E83B97D0676B6DB60E0BC094312248647F736"
	newPrint   = "5BBE093AA85DF6A9D4924A1E20DDA4792524A7F2"
)

// events are as an API server returns them, in another order than they happened.
const events = `[
{"reason":"RolloutStarted","type":"Normal","involvedObject":{"uid":"1"},"eventTime":"2026-11-29T11:57:00.000000Z","message":"version ` + newVersion + `, thumbprint ` + newPrint + `, valid until 2027-03-01T12:00:00Z, for 50 nodes"},
{"reason":"Throttled","type":"Warning","involvedObject":{"uid":"1"},"eventTime":"2026-11-29T11:00:00.000000Z","series":{"count":3,"lastObservedTime":"2026-11-29T11:58:00.000000Z"},"message":"polls fail on 2 of 50 nodes\u001b[2J"},
{"reason":"RolloutStarted","type":"Normal","involvedObject":{"uid":"1"},"lastTimestamp":"2026-11-29T11:10:00Z","message":"version ` + oldVersion + `, thumbprint ` + oldPrint + `, valid until 2026-12-03T12:00:00Z, for 50 nodes"},
{"reason":"RolloutCompleted","type":"Normal","involvedObject":{"uid":"1"},"eventTime":"2026-11-29T11:12:00.000000Z","message":"installed on 50 of 50 nodes, thumbprint ` + oldPrint + `, in 2m0s"},
{"reason":"RolloutStarted","type":"Normal","involvedObject":{"uid":"0"},"eventTime":"2026-11-29T11:01:00.000000Z","message":"version v0, thumbprint 0000000000000000000000000000000000000000, valid until 2026-12-03T12:00:00Z, for 1 node"}
]`

func histories(t *testing.T) map[string]History {
	t.Helper()
	var all []Event
	if err := json.Unmarshal([]byte(events), &all); err != nil {
		t.Fatal(err)
	}
	end := metav1.NewTime(now.Add(92 * 24 * time.Hour))
	web := &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "1", CreationTimestamp: metav1.NewTime(now.Add(-41 * 24 * time.Hour))},
		Status:     v1alpha1.ObservedCertificateStatus{Version: newVersion, Thumbprint: newPrint, NotAfter: &end},
	}
	on := func(version, thumbprint string) status.Reported {
		return status.Reported{Certificates: map[string]v1alpha1.CertificateEntry{"web": {Name: "web", Version: version, Thumbprint: thumbprint, NotAfter: &end}}}
	}
	nodes := map[string]status.Reported{"a": on(newVersion, newPrint), "b": on(newVersion, newPrint), "c": on(oldVersion, oldPrint), "d": on("", ""), "linux": {}}
	return map[string]History{
		"rolling-out": Of(web, all, nodes),
		"forgotten":   Of(web, nil, nodes),
		"new":         Of(&v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "1"}}, nil, nil),
	}
}

func TestHistoriesAreAsInTheGoldenFiles(t *testing.T) {
	for name, history := range histories(t) {
		for kind, style := range map[string]terminal.Style{"pipe": {UTF8: true}, "60": {Width: 60, UTF8: true}, "80": {Width: 80}, "200": {Width: 200, UTF8: true}} {
			checkGolden(t, name+"-"+kind+".txt", history.Text(style, false, now))
		}
		checkGolden(t, name+"-wide.txt", history.Text(terminal.Style{}, true, now))
		text, err := json.MarshalIndent(history, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, name+".json", string(text)+"\n")
	}
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it):\n%s", name, diff)
	}
}
