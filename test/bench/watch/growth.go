package watch

import "fmt"

// growth adds rows for how costs and times grow with the nodes. With the version watch, the vault is asked as often for any number.
func (s *site) growth() {
	for _, curve := range s.Curves {
		nodes, value, ok := curve.Growth()
		if !ok {
			continue
		}
		what, measured := fmt.Sprintf("growth of %q with %.0f × the nodes, %s", curve.Plot, nodes, curve.Name), fmt.Sprintf("%.1f ×", value)
		if curve.Plot == requestsPlot && curve.Name == modeWatch {
			s.AtMost(what, measured, "1 ×", value, 1.1)
			continue
		}
		s.Note(what, measured)
	}
}

// The plots.
const (
	requestsPlot = "Key Vault requests an hour"
	timesPlot    = "Renewal to installed, p99, in s"
)
