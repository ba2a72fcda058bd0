package history

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// Text returns the history for a person: the versions, the events, and how far back that reaches.
func (h History) Text(style terminal.Style, wide bool, now time.Time) string {
	var text strings.Builder
	if len(h.Versions) > 0 {
		text.WriteString(h.versions(style, wide, now) + "\n")
	}
	for _, e := range h.Events {
		level := terminal.Plain
		if e.Warning {
			level = terminal.Warning
		}
		begin := fmt.Sprintf("%s %s  %s", style.Sign(level), e.Time.UTC().Format(time.RFC3339), e.Reason)
		if e.Times > 1 {
			begin += fmt.Sprintf(" (%d times)", e.Times)
		}
		line := style.Wrap(begin+": ", "    ", e.Message)
		text.WriteString(style.Paint(level, line[:len(begin)]) + line[len(begin):])
	}
	if len(h.Events) > 0 {
		text.WriteString("\n")
	}
	text.WriteString(style.Wrap("", "", h.reach(now)))
	return text.String()
}

func (h History) versions(style terminal.Style, wide bool, now time.Time) string {
	columns := []terminal.Column{
		{Title: "VERSION", Min: 8}, {Title: "NODES"}, {Title: "FIRST NODE"}, {Title: "EVERY NODE"}, {Title: "EXPIRES", Drop: 1}, {Title: "THUMBPRINT", Drop: 2}, {Title: ""},
	}
	var rows [][]terminal.Cell
	for _, v := range h.Versions {
		version := terminal.ShortVersion(v.Version)
		if wide {
			version = v.Version
		}
		remark := ""
		if v.Current {
			remark = "current"
		}
		rows = append(rows, []terminal.Cell{
			{Text: version}, {Text: fmt.Sprintf("%d/%d", v.Nodes, h.Nodes)}, {Text: when(v.Started, wide, now)}, {Text: when(v.Completed, wide, now)},
			{Text: when(v.NotAfter, wide, now)}, {Text: v.Thumbprint}, {Text: remark, Level: terminal.Good},
		})
	}
	return style.Table(columns, rows)
}

func when(at *metav1.Time, wide bool, now time.Time) string {
	switch {
	case at == nil:
		return ""
	case wide:
		return at.UTC().Format(time.RFC3339)
	}
	return terminal.Until(at.Time, now)
}

// reach says how far back the history goes.
func (h History) reach(now time.Time) string {
	kept := "no event of " + h.Certificate + " is kept any more"
	if h.Since != nil {
		kept = fmt.Sprintf("events of %s reach back to %s (%s)", h.Certificate, h.Since.UTC().Format(time.RFC3339), terminal.Until(h.Since.Time, now))
	}
	created := ""
	if !h.CreatedAt.IsZero() {
		created = fmt.Sprintf(", the object was made %s", terminal.Until(h.CreatedAt.Time, now))
	}
	return strings.ToUpper(kept[:1]) + kept[1:] + created + fmt.Sprintf(". An API server keeps events for an hour unless its --event-ttl differs; versions that left all nodes before are not known. %s reported the certificate.", terminal.Count(h.Nodes, "node"))
}
