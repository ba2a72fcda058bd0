package result

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestThePageGetsTheRowsOfAPartAndKeepsTheRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	const text = "# Page\n\n<!-- bench store -->\nold\n<!-- end of bench store -->\n\n<!-- bench watch -->\nkept\n<!-- end of bench watch -->\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	table := &Table{Part: "store"}
	table.AtMost("time", "1.5 ×", "≤ 2 ×", 1.5, 2)
	table.Note("memory", "10 MB")
	page := Page{Path: path, Command: "make bench", Load: "0.1 0.1 0.1"}
	if err := page.Write(table); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Page\n", "with `make bench` at commit", "| time | 1.5 × | ≤ 2 × | 0.75 | yes |\n| memory | 10 MB | – |  | – |\n<!-- end of bench store -->", "kept\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("there is no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "old") {
		t.Errorf("the old rows are still there:\n%s", got)
	}
	table.Part = "other"
	table.Note("nothing", "0")
	if err := page.Write(table); err == nil {
		t.Error("a part without a place in the page is no error")
	}
}

func TestACurveGrows(t *testing.T) {
	table := &Table{}
	table.Curve("requests", "polling", []int{1, 10}, 1, 10)
	table.Curve("requests", "polling", []int{100}, 50)
	nodes, value, ok := table.Curves[0].Growth()
	if len(table.Curves) != 1 || nodes != 100 || value != 50 || !ok {
		t.Errorf("got %v × the nodes and %v × the value of %d curves (%t)", nodes, value, len(table.Curves), ok)
	}
	if _, _, ok := (Curve{}).Growth(); ok {
		t.Error("a curve without points grows")
	}
}
