package agent

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// declinedLinks says why older versions are not linked to the one that is in the store, and what the machine still serves with
// them; empty where linkOnRenewal is not set or every link is there. What cannot be read is for other steps to report.
func (r *Reconciler) declinedLinks(desired certstore.Desired, thumbprint string) string {
	if !desired.Link || thumbprint == "" {
		return ""
	}
	seen, err := r.entries(desired, []string{thumbprint})
	if err != nil {
		return ""
	}
	for ref, entries := range seen.Entries {
		for _, current := range entries {
			if current.Thumbprint == thumbprint && ref.Same(desired.Ref) {
				return r.describeDeclined(certstore.DeclinedLinks(desired, current, seen, r.Now()))
			}
		}
	}
	return ""
}

// describeDeclined names the first few.
func (r *Reconciler) describeDeclined(declined []certstore.DeclinedLink) string {
	if len(declined) == 0 {
		return ""
	}
	const most = 3
	bindings, _ := r.Machine.Bindings() // what cannot be read is not named
	var parts []string
	for _, one := range declined[:min(most, len(declined))] {
		part := fmt.Sprintf("version %s (%s) is not linked to the current one: %s", one.Version, one.Thumbprint, one.Reason)
		if bound := bindings[one.Thumbprint]; len(bound) > 0 {
			part += "; it still serves " + few(bound)
		}
		parts = append(parts, part+"; "+one.Remedy)
	}
	if rest := len(declined) - most; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d more", rest))
	}
	return strings.Join(parts, "; ")
}
