package status

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

var update = flag.Bool("update", false, "write the golden files")

// shown is what a view prints.
type shown interface {
	Text(style terminal.Style, wide bool, now time.Time) string
}

// views are what the golden files show.
func views() map[string]shown {
	all := shop()
	return map[string]shown{
		"overview":              NewOverview(all, now),
		"overview-well":         NewOverview([]v1alpha1.ObservedCertificate{gateway()}, now),
		"overview-many":         NewOverview(append(fleetWide(30), gateway()), now),
		"overview-none":         NewOverview(nil, now),
		"certificates":          NewDetails([]v1alpha1.ObservedCertificate{old(), web()}, reports(), now),
		"certificate-unread":    NewDetails([]v1alpha1.ObservedCertificate{old()}, nil, now),
		"configmap":             NewOverview([]v1alpha1.ObservedCertificate{authorities()}, now),
		"certificate-configmap": NewDetails([]v1alpha1.ObservedCertificate{authorities()}, nil, now),
		"certificate-waves":     NewDetails([]v1alpha1.ObservedCertificate{canary(), unseen()}, nil, now),
		"node":                  NewNodeView("win-1", reports()["win-1"], nil, now),
		"node-named":            NewNodeView("win-40", reports()["win-40"], []v1alpha1.ObservedCertificate{web(), gateway()}, now),
	}
}

// styles are the ways to print; the first of them is a pipe.
var styles = map[string]terminal.Style{
	"pipe": {UTF8: true}, "60": {Width: 60, UTF8: true}, "80": {Width: 80, UTF8: true}, "200": {Width: 200, UTF8: true}, "ascii": {Width: 80},
}

func TestViewsAreAsInTheGoldenFiles(t *testing.T) {
	for name, view := range views() {
		for kind, style := range styles {
			checkGolden(t, name+"-"+kind+".txt", view.Text(style, false, now))
		}
		checkGolden(t, name+"-wide.txt", view.Text(terminal.Style{UTF8: true}, true, now))
		text, err := json.MarshalIndent(view, "", "  ")
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

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	for name, view := range views() {
		for _, width := range []int{60, 80, 200} {
			for line := range strings.Lines(view.Text(terminal.Style{Width: width, UTF8: true}, false, now)) {
				line = strings.TrimRight(line, "\n")
				if utf8.RuneCountInString(line) > width && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s at width %d has a wider line: %q", name, width, line)
				}
			}
		}
	}
}

func TestColoursSayNothingAlone(t *testing.T) {
	for name, view := range views() {
		colored := view.Text(terminal.Style{Width: 80, Color: true, UTF8: true}, false, now)
		for _, code := range []string{"0", "2", "31", "32", "33", "36"} {
			colored = strings.ReplaceAll(colored, "\x1b["+code+"m", "")
		}
		if diff := cmp.Diff(view.Text(terminal.Style{Width: 80, UTF8: true}, false, now), colored); diff != "" {
			t.Errorf("%s differs by more than its colours:\n%s", name, diff)
		}
	}
}

func TestASCIIStaysASCII(t *testing.T) {
	for name, view := range views() {
		for at, r := range view.Text(terminal.Style{Width: 60}, false, now) {
			if r > 126 {
				t.Errorf("%s has %q at %d", name, r, at)
			}
		}
	}
}

func TestTextFromOutsideCannotControlATerminal(t *testing.T) {
	evil := old()
	evil.Status.Conditions[0].Message = "\x1b[2Jcleared\nweb: all is well"
	evil.Status.Failures[0].Message = "\x1b]0;title\x07\r\n"
	states := NewStates(nil, nil)
	state := readState(t, "win-1", "\x1b[31mv1", v1alpha1.CertificateEntry{Name: "old", Generation: 1, State: v1alpha1.StateFailed, Reason: "\x1b[2J", Message: "\x1b[2J"})
	states.Set(state)
	for _, view := range []shown{NewOverview([]v1alpha1.ObservedCertificate{evil}, now), NewDetails([]v1alpha1.ObservedCertificate{evil}, states.Nodes(), now), NewNodeView("win-1", states.Nodes()["win-1"], nil, now)} {
		for _, wide := range []bool{false, true} {
			if text := view.Text(terminal.Style{}, wide, now); strings.ContainsAny(text, "\x1b\x07\r") || strings.Contains(text, "\nweb: all is well") {
				t.Errorf("%T: %q", view, fmt.Sprint(text))
			}
		}
	}
}
