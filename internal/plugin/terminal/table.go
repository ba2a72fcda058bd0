package terminal

import (
	"strings"
	"unicode/utf8"
)

// Column is a column of a table.
type Column struct {
	Title string
	// Min allows cutting the column's texts to this many columns where the table is too wide; 0 forbids it.
	Min int
	// Drop allows leaving the column out where the table is too wide, the highest first; 0 forbids it.
	Drop int
}

// Cell is a text in a table, on one line, with its level's colour.
type Cell struct {
	Text  string
	Level Level
}

// gap separates two columns.
const gap = 2

// Table returns lines with aligned columns, the first line with the titles. Columns without any text are left out. Where the
// style has a width, columns are left out and texts are cut so that no line is wider, as far as the columns allow. Without rows it is
// empty.
func (s Style) Table(columns []Column, rows [][]Cell) string {
	if len(rows) == 0 {
		return ""
	}
	shown, widths := s.fit(columns, rows)
	var text strings.Builder
	header := make([]Cell, len(columns))
	for i, column := range columns {
		header[i] = Cell{Text: column.Title}
	}
	for _, row := range append([][]Cell{header}, rows...) {
		line := &strings.Builder{}
		padding := 0
		for _, i := range shown {
			cell := s.cut(row[i].Text, widths[i])
			line.WriteString(strings.Repeat(" ", padding) + s.Paint(row[i].Level, cell))
			padding = widths[i] - utf8.RuneCountInString(cell) + gap
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return text.String()
}

// fit chooses the columns to show, by number, and the width of each.
func (s Style) fit(columns []Column, rows [][]Cell) (shown, widths []int) {
	widths = make([]int, len(columns))
	for i, column := range columns {
		empty := true
		for _, row := range rows {
			empty = empty && row[i].Text == ""
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].Text))
		}
		if !empty {
			widths[i] = max(widths[i], len(column.Title))
			shown = append(shown, i)
		}
	}
	for s.Width > 0 && total(shown, widths) > s.Width {
		drop := -1
		for at, i := range shown {
			if columns[i].Drop > 0 && (drop < 0 || columns[i].Drop > columns[shown[drop]].Drop) {
				drop = at
			}
		}
		if drop < 0 {
			break
		}
		shown = append(shown[:drop:drop], shown[drop+1:]...)
	}
	s.shrink(columns, shown, widths)
	return shown, widths
}

// shrink cuts the widest columns that may be cut until the table fits.
func (s Style) shrink(columns []Column, shown, widths []int) {
	for s.Width > 0 && total(shown, widths) > s.Width {
		widest := -1
		for _, i := range shown {
			if columns[i].Min > 0 && widths[i] > columns[i].Min && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func total(shown, widths []int) int {
	sum := gap * (len(shown) - 1)
	for _, i := range shown {
		sum += widths[i]
	}
	return sum
}

// cut shortens a text to a width, and shows that.
func (s Style) cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	end := "..."
	if s.UTF8 {
		end = "…"
	}
	keep := max(0, width-utf8.RuneCountInString(end))
	return string([]rune(text)[:keep]) + end
}
