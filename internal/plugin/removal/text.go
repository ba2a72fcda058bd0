package removal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// Lines are the answers for people in a style, the last line the sum.
func Lines(machines []Machine, style terminal.Style) []string {
	var lines []string
	removable := 0
	for _, machine := range machines {
		name := machine.Name
		if name == "" {
			name = "the machine of these settings"
		}
		switch {
		case machine.Unclear:
			lines = append(lines, name+": keep the extension: something of its settings needs a hand, which 'kubectl vaultpane convert' names")
		case len(machine.Certificates) == 0:
			removable++
			lines = append(lines, name+": has no certificate from the extension")
			continue
		case machine.Removable:
			removable++
			lines = append(lines, name+": the extension may be removed")
		default:
			lines = append(lines, name+": keep the extension")
		}
		for _, certificate := range machine.Certificates {
			level := terminal.Bad
			if certificate.InPlace {
				level = terminal.Good
			}
			text := fmt.Sprintf("%s (%s): %s", strings.TrimPrefix(certificate.URL, "https://"), certificate.Store, certificate.Text)
			lines = append(lines, strings.TrimRight(style.Signed(level, "    ", text), "\n"))
		}
	}
	if slices.ContainsFunc(machines, func(machine Machine) bool {
		return machine.Removable && machine.Pool == "" && len(machine.Certificates) > 0
	}) {
		lines = append(lines, "A machine that is no node of this cluster needs the extension as long as programs run on it.")
	}
	return append(lines, fmt.Sprintf("The extension may be removed from %d of %s.", removable, terminal.Count(len(machines), "machine")))
}
