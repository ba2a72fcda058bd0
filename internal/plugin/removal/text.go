package removal

import (
	"fmt"
	"strings"
)

// Lines are the answers for people, the last line the sum.
func Lines(machines []Machine) []string {
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
			mark := "✗"
			if certificate.InPlace {
				mark = "✓"
			}
			lines = append(lines, fmt.Sprintf("  %s %s (%s): %s", mark, strings.TrimPrefix(certificate.URL, "https://"), certificate.Store, certificate.Text))
		}
	}
	return append(lines, fmt.Sprintf("The extension may be removed from %d of %d machines.", removable, len(machines)))
}
