package report

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// maxSize is how large the entries of a node's state may be as JSON, in bytes. etcd takes objects of 1.5 MiB (its
// --max-request-bytes); what is left is for metadata. 5,000 certificates that are in place take about 0.9 MiB.
const maxSize = 1_310_720

// lastMessages is how many of what matters most keep their messages in any case.
const lastMessages = 100

// fit leaves out what makes the entries of a state larger than limit, and counts it in the state: first the messages of what
// matters least, then entries of what matters least. Entries are sorted by name. The same entries give the same result.
func fit(state *v1alpha1.NodeCertificateState, limit int) {
	state.Omitted = nil
	total, sizes := 0, make([]int, len(state.Certificates))
	for i := range state.Certificates {
		sizes[i] = sizeOf(state.Certificates[i])
		total += sizes[i]
	}
	if total <= limit {
		return
	}
	order := make([]int, len(state.Certificates)) // what matters least first
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareWeight(state.Certificates[b], state.Certificates[a]) })
	var omitted v1alpha1.Omitted
	for _, i := range order[:max(0, len(order)-lastMessages)] {
		if total <= limit {
			break
		}
		if entry := &state.Certificates[i]; entry.Message != "" {
			total -= sizes[i]
			entry.Message = ""
			sizes[i] = sizeOf(*entry)
			total += sizes[i]
			omitted.Messages++
		}
	}
	left := map[int]bool{}
	for _, i := range order {
		if total <= limit {
			break
		}
		total -= sizes[i]
		left[i] = true
	}
	omitted.Certificates = int32(len(left)) //nolint:gosec // G115: a number of certificates
	if len(left) > 0 {
		state.Certificates = without(state.Certificates, left)
		omitted.Messages = 0
		for _, entry := range state.Certificates {
			if entry.Reason != "" && entry.Message == "" {
				omitted.Messages++
			}
		}
	}
	state.Omitted = &omitted
}

func without(entries []v1alpha1.CertificateEntry, left map[int]bool) []v1alpha1.CertificateEntry {
	var kept []v1alpha1.CertificateEntry
	for i, entry := range entries {
		if !left[i] {
			kept = append(kept, entry)
		}
	}
	return kept
}

// sizeOf returns an entry's size in the stored object, which is JSON.
func sizeOf(entry v1alpha1.CertificateEntry) int {
	text, err := json.Marshal(entry)
	if err != nil {
		return maxSize // cannot be: the type has nothing that JSON lacks
	}
	return len(text) + 1
}

// compareWeight puts first what matters most: what has failed before what is pending, what needs another spec before what
// waits, and what tells nothing last.
func compareWeight(a, b v1alpha1.CertificateEntry) int {
	return cmp.Or(
		cmp.Compare(weight(a), weight(b)),
		strings.Compare(a.Name, b.Name),
	)
}

func weight(entry v1alpha1.CertificateEntry) int {
	states := map[v1alpha1.CertificateState]int{
		v1alpha1.StateFailed: 0, v1alpha1.StatePending: 10, v1alpha1.StateInstalled: 20, v1alpha1.StateSuspended: 30,
	}
	classes := map[v1alpha1.Class]int{v1alpha1.ClassTerminal: 0, v1alpha1.ClassWaiting: 1, v1alpha1.ClassTransient: 2, v1alpha1.ClassNone: 3}
	if entry.Reason == "" {
		return states[entry.State] + 4
	}
	return states[entry.State] + classes[entry.Reason.Class()]
}
