package main

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/page"
)

// Marks in the page between which the run writes.
const (
	beginMark = "<!-- begin: written by make faults -->"
	endMark   = "<!-- end: written by make faults -->"
)

// table is what was found, as Markdown.
func (r *results) table() string {
	var text strings.Builder
	text.WriteString("| fault | alone | in mixes | logged by the agent | sites | longest until all was well | violations |\n|---|---|---|---|---|---|---|\n")
	for _, name := range r.names() {
		one := r.faults[name]
		slowest := "–"
		if one.slowest > 0 {
			slowest = fmt.Sprintf("%.1f s", one.slowest.Seconds())
		}
		fmt.Fprintf(&text, "| %s | %d | %d | %s | %d | %s | %d |\n", name, one.alone, one.mixed, r.logged(name), len(one.sites), slowest, one.violations)
	}
	text.WriteString("\n")
	for _, site := range slices.Sorted(maps.Keys(r.looks)) {
		fmt.Fprintf(&text, "- %s: the observer looked %d times and saw %d certificates\n", site, r.looks[site].Looks, r.looks[site].Renewals)
	}
	for _, line := range slices.Sorted(slices.Values(r.levelling)) {
		text.WriteString("- " + line + "\n")
	}
	return text.String()
}

// logged is in how many rounds the agent logged about a fault; – for one that it need not notice.
func (r *results) logged(name string) string {
	for _, one := range allFaults() {
		if one.name == name && one.reason != "" {
			return strconv.Itoa(r.faults[name].noticed)
		}
	}
	return "–"
}

// names are those of the faults, in the order in which they are listed, and then of what is no fault.
func (r *results) names() []string {
	var names []string
	for _, one := range allFaults() {
		if r.faults[one.name] != nil {
			names = append(names, one.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.faults)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// writePage replaces what is between the marks of a page.
func (r *results) writePage(path string, took time.Duration) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	found := fmt.Sprintf("%s: `make faults SEED=%d` on %s, commit %s, %d processors: %d kills, %d of them in the middle of a write, %d rounds, %d violations, %s.\n\n%s",
		time.Now().UTC().Format(time.DateOnly), r.seed, runtime.GOOS, page.Commit(), runtime.NumCPU(), r.killed, r.aimed, r.all, len(r.found), took, r.table())
	changed, hasPlace := page.Between(string(text), beginMark, endMark, "\n"+found)
	if !hasPlace {
		return fmt.Errorf("%s has no place for the results: the lines %q and %q", path, beginMark, endMark)
	}
	return os.WriteFile(path, []byte(changed), 0o644)
}
