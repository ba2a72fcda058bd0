package status

import (
	"time"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// entryTable has a line for each entry, of nodes or of certificates.
func entryTable(style terminal.Style, entries []Entry, wide bool, now time.Time) string {
	columns := []terminal.Column{
		{Title: ""}, {Title: "NODE", Min: 12}, {Title: "CERTIFICATE", Min: 12}, {Title: "STATE"}, {Title: "REASON", Min: 12},
		{Title: "VERSION", Drop: 3}, {Title: "SINCE", Drop: 2}, {Title: "EXPIRES", Drop: 1},
	}
	if wide {
		columns = append(columns, terminal.Column{Title: "NOT AFTER"}, terminal.Column{Title: "THUMBPRINT"}, terminal.Column{Title: "AGENT"}, terminal.Column{Title: "MESSAGE", Min: 20})
	}
	var rows [][]terminal.Cell
	for _, e := range entries {
		row := []terminal.Cell{
			{Text: style.Sign(e.level), Level: e.level}, {Text: e.Node}, {Text: e.Certificate},
			{Text: e.State, Level: e.level}, {Text: string(e.Reason), Level: e.level},
			{Text: terminal.ShortVersion(e.Version)}, {Text: ago(e.Since, now)}, {Text: until(e.NotAfter, now)},
		}
		if wide {
			row[5].Text = e.Version
			row = append(row, plain(timestamp(e.NotAfter), e.Thumbprint, e.AgentVersion, e.Message)...)
		}
		rows = append(rows, row)
	}
	return style.Table(columns, rows)
}
