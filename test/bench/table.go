package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// table is what was measured.
type table struct{ rows []row }

// row is one line of the table.
type row struct{ what, measured, goal, verdict string }

func (t *table) add(what, measured, goal string, holds bool) {
	verdict := "yes"
	if !holds {
		verdict = "NO"
	}
	t.rows = append(t.rows, row{what, measured, goal, verdict})
	fmt.Printf("bench: %s: %s (goal %s: %s)\n", what, measured, goal, verdict)
}

// note adds what is measured without a goal.
func (t *table) note(what, measured string) {
	t.rows = append(t.rows, row{what, measured, "–", "–"})
	fmt.Printf("bench: %s: %s\n", what, measured)
}

// print prints the table and returns how many goals were missed.
func (t *table) print() (missed int) {
	fmt.Printf("\n| what | measured | goal | reached |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Printf("| %s | %s | %s | %s |\n", r.what, r.measured, r.goal, r.verdict)
		if r.verdict == "NO" {
			missed++
		}
	}
	fmt.Println()
	return missed
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func seconds(values []float64) string {
	var each []string
	for _, value := range values {
		each = append(each, fmt.Sprintf("%.2f", value))
	}
	return fmt.Sprintf("%.2f s (%s)", median(values), strings.Join(each, ", "))
}

// listed names writes and their counts, in order; 0 for none.
func listed(writes map[string]int) string {
	var each []string
	for _, what := range slices.Sorted(maps.Keys(writes)) {
		each = append(each, fmt.Sprintf("%d %s", writes[what], what))
	}
	if len(each) == 0 {
		return "0"
	}
	return strings.Join(each, ", ")
}

// thousands writes a number as 12,345.
func thousands(number int) string {
	if number < 1000 {
		return fmt.Sprint(number)
	}
	return thousands(number/1000) + fmt.Sprintf(",%03d", number%1000)
}
