package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestThePageGetsTheTableBetweenItsMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("before\n"+beginMark+"\nold\n"+endMark+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newResults(7)
	r.round("one", []string{"disk full"}, []string{"disk full"}, time.Second)
	r.round("two", []string{"disk full", "files damaged"}, nil, 2*time.Second)
	r.kill()
	r.kill()
	r.violation("two", []string{"disk full"}, "it is lost")
	if err := r.writePage(path, time.Minute); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n" + beginMark, endMark + "\nafter", "SEED=7", "2 kills", "1 violations", "| disk full | 1 | 1 | 1 | 2 | 2.0 s | 1 |", "| files damaged | 0 | 1 | – | 1 | 2.0 s | 0 |"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("the old table is still there")
	}
}

func TestEveryFaultHasItsOwnName(t *testing.T) {
	seen := map[string]bool{}
	for _, one := range allFaults() {
		if one.name == "" || seen[one.name] {
			t.Errorf("%q is there twice, or empty", one.name)
		}
		seen[one.name] = true
	}
}
