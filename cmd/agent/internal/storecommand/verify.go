package storecommand

import (
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// finding is one failure, warning or note about one certificate, as store verify prints it. The JSON names are stable, as those of
// storedCertificate.
type finding struct {
	// Severity is failure, warning or note.
	Severity string `json:"severity"`
	// Reason is the kind of the finding, such as KeyMissing.
	Reason string `json:"reason"`
	// Store and Thumbprint identify the certificate.
	Store      string `json:"store"`
	Thumbprint string `json:"thumbprint"`
	// Owner is its ObservedCertificate, empty without a valid mark.
	Owner string `json:"owner,omitempty"`
	// Message says what is wrong, and Remedy what to do.
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// verification is the result of verifyStore.
type verification struct {
	// Passed is true when there is no failure.
	Passed bool `json:"passed"`
	// Certificates is the number of certificates that Vaultpane installed.
	Certificates int `json:"certificates"`
	// Failures, Warnings and Notes count the findings.
	Failures int `json:"failures"`
	Warnings int `json:"warnings"`
	Notes    int `json:"notes"`
	// Findings are the findings, the worst first.
	Findings []finding `json:"findings"`
}

// verifyStore reports what is wrong with the certificates that Vaultpane installed on this machine, without a cluster.
func verifyStore(store certstore.Store, now time.Time) (verification, error) {
	held, err := readAll(store)
	if err != nil {
		return verification{}, err
	}
	var orphans []certstore.Finding
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		keys, err := store.OrphanedKeys(location)
		if err != nil {
			return verification{}, err
		}
		orphans = append(orphans, certstore.OrphanedKeyFindings(location, keys)...)
	}
	return verificationOf(held, orphans, now), nil
}

func verificationOf(held map[certstore.Ref][]certstore.Entry, orphans []certstore.Finding, now time.Time) verification {
	result := verification{Findings: []finding{}}
	for _, entries := range held {
		for _, entry := range entries {
			if entry.Ours() {
				result.Certificates++
			}
		}
	}
	for _, f := range certstore.WorstFirst(append(certstore.Verify(held, now), orphans...)) {
		result.Findings = append(result.Findings, finding{
			Severity: string(f.Severity), Reason: string(f.Reason), Store: safe(f.Ref.String()), Thumbprint: f.Thumbprint,
			Owner: safe(f.Owner), Message: safe(f.Message), Remedy: f.Remedy,
		})
		switch f.Severity {
		case certstore.SeverityFailure:
			result.Failures++
		case certstore.SeverityWarning:
			result.Warnings++
		case certstore.SeverityNote:
			result.Notes++
		}
	}
	result.Passed = result.Failures == 0
	return result
}
