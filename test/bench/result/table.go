// Package result is what the bench has measured: a table of rows with goals, and the page that shows it.
package result

import "fmt"

// Table is what was measured.
type Table struct {
	Rows   []Row
	Curves []Curve
	// Part is the part of the bench that adds rows at the moment.
	Part string
}

// Row is one line of a table. A row without a goal is a note.
type Row struct {
	Part, What, Measured, Goal string
	// Ratio is what was measured, as a multiple of the goal; empty where it cannot be said.
	Ratio   string
	Reached string
}

// none stands for no goal.
const none = "–"

// Add adds a row with a goal, and whether it was reached.
func (t *Table) Add(what, measured, goal string, reached bool) {
	t.add(what, measured, goal, "", reached)
}

// AtMost adds a row whose value must be at most a limit; zero must be exact.
func (t *Table) AtMost(what, measured, goal string, value, limit float64) {
	ratio := ""
	if limit != 0 {
		ratio = fmt.Sprintf("%.2f", value/limit)
	}
	t.add(what, measured, goal, ratio, value <= limit)
}

func (t *Table) add(what, measured, goal, ratio string, reached bool) {
	verdict := "yes"
	if !reached {
		verdict = "NO"
	}
	t.Rows = append(t.Rows, Row{t.Part, what, measured, goal, ratio, verdict})
	fmt.Printf("bench: %s: %s (goal %s: %s)\n", what, measured, goal, verdict)
}

// Note adds what is measured without a goal.
func (t *Table) Note(what, measured string) {
	t.Rows = append(t.Rows, Row{t.Part, what, measured, none, "", none})
	fmt.Printf("bench: %s: %s\n", what, measured)
}

// Print prints the table and returns how many goals were missed.
func (t *Table) Print() (missed int) {
	fmt.Printf("\n%s\n", markdown(t.Rows))
	for _, row := range t.Rows {
		if row.Reached == "NO" {
			missed++
		}
	}
	return missed
}

func markdown(rows []Row) string {
	text := "| what | measured | goal | measured / goal | reached |\n|---|---|---|---|---|\n"
	for _, row := range rows {
		text += fmt.Sprintf("| %s | %s | %s | %s | %s |\n", row.What, row.Measured, row.Goal, row.Ratio, row.Reached)
	}
	return text
}
