package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// looks are actions and levels as the terminal shows them.
var (
	looks   = map[Level]terminal.Level{Note: terminal.Plain, Warning: terminal.Warning, Conflict: terminal.Bad}
	actions = map[Action]string{New: "+", Changed: "~", Unchanged: "="}
)

const indent = "    "

// Text returns a plan as text.
func Text(changes []Change, unread []string, style terminal.Style) string {
	var text strings.Builder
	for _, change := range changes {
		text.WriteString(change.text(style))
	}
	for _, one := range unread {
		text.WriteString(style.Wrap("! ", "  ", one))
	}
	if len(unread) > 0 {
		text.WriteString("\n")
	}
	text.WriteString(Summary(changes) + "\n")
	return text.String()
}

func (c Change) text(style terminal.Style) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s  %s\n", actions[c.Action], c.Name, c.Action)
	if c.Action == New {
		text.WriteString(indent + c.URL + "\n" + indent + "into " + c.Store + "\n")
	}
	for _, field := range c.Fields {
		arrow := " -> "
		if style.UTF8 {
			arrow = " → "
		}
		text.WriteString(style.Wrap(indent, indent+"  ", field.Path+": "+cmp.Or(field.From, "(none)")+arrow+cmp.Or(field.To, "(none)")))
	}
	text.WriteString(c.Nodes.text(style))
	for _, remark := range c.Remarks {
		sign := style.Sign(looks[remark.Level])
		if remark.Level == Note {
			sign = "-"
		}
		head := fmt.Sprintf("%s%s %s:", indent, sign, remark.Level)
		body := style.Wrap(head+" ", indent+"  ", remark.Text)
		text.WriteString(style.Paint(looks[remark.Level], head) + strings.TrimPrefix(body, head))
		if remark.Remedy != "" {
			text.WriteString(style.Wrap(indent+"  ", indent+"  ", remark.Remedy))
		}
		if remark.Command != "" {
			text.WriteString(indent + "  $ " + remark.Command + "\n")
		}
	}
	return text.String() + "\n"
}

func (r Reach) text(style terminal.Style) string {
	var text strings.Builder
	for _, part := range []struct {
		nodes            []string
		singular, plural string
	}{
		{r.Gain, "node would get it", "nodes would get it"},
		{r.Lose, "node would no longer be selected", "nodes would no longer be selected"},
		{r.Keep, "node is selected as before", "nodes are selected as before"},
	} {
		if len(part.nodes) > 0 {
			text.WriteString(style.Wrap(indent, indent+"  ", isAre(len(part.nodes), part.singular, part.plural)+": "+terminal.Names(part.nodes, mostNames)))
		}
	}
	return text.String()
}

// Summary counts changes and remarks.
func Summary(changes []Change) string {
	counts, levels := map[Action]int{}, map[Level]int{}
	for _, change := range changes {
		counts[change.Action]++
		for _, remark := range change.Remarks {
			levels[remark.Level]++
		}
	}
	return fmt.Sprintf("%d new, %d changed, %d unchanged; %s, %s", counts[New], counts[Changed], counts[Unchanged],
		terminal.Count(levels[Conflict], "conflict"), terminal.Count(levels[Warning], "warning"))
}
