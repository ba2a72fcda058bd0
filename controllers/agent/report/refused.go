package report

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// refusedField is how the API server names a field of an entry that it rejects.
var refusedField = regexp.MustCompile(`^certificates\[(\d+)\](?:\.(.*))?$`)

// replaceRefused replaces each entry that the API server rejects with one that says so: one certificate must not keep the others
// from being reported. It returns false where the API server rejects no entry.
func (r *Reporter) replaceRefused(written *v1alpha1.NodeCertificateState, refusal error) bool {
	var status apierrors.APIStatus
	if !errors.As(refusal, &status) || status.Status().Details == nil {
		return false
	}
	causes := map[string]metav1.StatusCause{} // by certificate
	for _, cause := range status.Status().Details.Causes {
		match := refusedField.FindStringSubmatch(cause.Field)
		if match == nil {
			continue
		}
		index, err := strconv.Atoi(match[1])
		if err != nil || index >= len(written.Certificates) {
			continue
		}
		cause.Field = match[2]
		causes[written.Certificates[index].Name] = cause
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	replaced := false
	for name, cause := range causes {
		entry, known := r.entries[name]
		refused := refusedEntry(entry, cause)
		if !known || entry.Message == refused.Message {
			continue // it has changed since, or its replacement is rejected too
		}
		since := metav1.NewTime(r.Now().Truncate(time.Second))
		refused.Since, entry.Since = &since, nil
		if r.refused == nil {
			r.refused = map[string]v1alpha1.CertificateEntry{}
		}
		r.refused[name], r.entries[name] = entry, refused
		replaced = true
	}
	return replaced
}

// stillRefused reports whether an entry is the one that the API server rejected, whose replacement stays. The caller holds the
// lock.
func (r *Reporter) stillRefused(entry v1alpha1.CertificateEntry) bool {
	before, known := r.refused[entry.Name]
	entry.Since, entry.Message = nil, truncate.Line(entry.Message, v1alpha1.MaxMessageLength) // as recorded
	if known && equality.Semantic.DeepEqual(before, entry) {
		return true
	}
	delete(r.refused, entry.Name)
	return false
}

// refusedEntry says which field the API server rejects, without its value.
func refusedEntry(entry v1alpha1.CertificateEntry, cause metav1.StatusCause) v1alpha1.CertificateEntry {
	return v1alpha1.CertificateEntry{
		Name: entry.Name, Generation: entry.Generation, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonInternalError,
		Message: truncate.Line(fmt.Sprintf("the API server rejects this node's report about the certificate: %s %s; the certificate may be installed nevertheless: see the agent's log, and compare the versions of the agent and of the CustomResourceDefinitions",
			cause.Field, cause.Message), v1alpha1.MaxMessageLength),
	}
}
