package standalone

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Waiting returns why the machine does not have its first certificates yet, a line each: those that set requireInitialSync, or all
// where none does. It is empty when it has them, each as its spec is now.
func (a *Agent) Waiting(ctx context.Context) []string {
	reasons := a.Problems()
	certificates, _ := a.Source.List(ctx) // it never fails
	if !a.Source.Read() && len(reasons) == 0 {
		return []string{"the settings have not been read yet"}
	}
	required := slices.DeleteFunc(slices.Clone(certificates), func(c v1alpha1.ObservedCertificate) bool { return !c.Spec.RequireInitialSync })
	if len(required) == 0 {
		required = certificates
	}
	for i := range required {
		if reason := a.waitsFor(&required[i]); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// waitsFor says why a certificate is not in the store as its spec says, empty where it is or where it is suspended.
func (a *Agent) waitsFor(certificate *v1alpha1.ObservedCertificate) string {
	entry, known := a.State.Entry(certificate.Name)
	switch {
	case certificate.Spec.Suspend:
		return ""
	case unprocessed(certificate, entry, known):
		return certificate.Name + ": not processed yet"
	case entry.State == v1alpha1.StateInstalled && entry.Thumbprint != "" && entry.Generation == certificate.Generation:
		return ""
	case entry.Message == "":
		return fmt.Sprintf("%s: %s", certificate.Name, entry.Reason)
	}
	return fmt.Sprintf("%s: %s: %s", certificate.Name, entry.Reason, strings.TrimSuffix(entry.Message, "."))
}
