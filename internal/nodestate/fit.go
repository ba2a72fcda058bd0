package nodestate

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// MaxSize is the maximum size of the entries of a node's state as JSON, in bytes. etcd accepts objects of 1.5 MiB (its
// --max-request-bytes); the rest is for metadata. 5,000 installed certificates take about 1.1 MiB.
const MaxSize = 1_310_720

// lastMessages is how many of the worst entries keep their messages in any case.
const lastMessages = 100

// Fit shortens the entries of a state until they are not larger than limit, and counts what it omits in the state: first the
// messages of the least important entries, then the least important entries. Entries are sorted by name. The same entries give the
// same result.
func Fit(state *v1alpha1.NodeCertificateState, limit int) {
	state.Omitted = nil
	f := fitting{entries: state.Certificates, sizes: make([]int, len(state.Certificates)), limit: limit}
	for i, entry := range f.entries {
		f.sizes[i] = sizeOf(entry)
		f.total += f.sizes[i]
	}
	if f.total <= limit {
		return
	}
	order := make([]int, len(f.entries)) // the least important first
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareWeight(f.entries[b], f.entries[a]) })
	omitted := v1alpha1.Omitted{Messages: f.omitMessages(order[:max(0, len(order)-lastMessages)])}
	if left := f.omitEntries(order); len(left) > 0 {
		omitted.Certificates = int32(len(left)) //nolint:gosec // G115: a number of certificates
		state.Certificates = without(state.Certificates, left)
		omitted.Messages = withoutMessage(state.Certificates)
	}
	state.Omitted = &omitted
}

// fitting is a state whose entries are shortened to a limit. Sizes are in bytes.
type fitting struct {
	entries      []v1alpha1.CertificateEntry
	sizes        []int
	total, limit int
}

// omitMessages empties messages in this order until the entries fit, and returns how many.
func (f *fitting) omitMessages(order []int) (omitted int32) {
	for _, i := range order {
		if f.total <= f.limit {
			break
		}
		if f.entries[i].Message == "" {
			continue
		}
		f.entries[i].Message = ""
		f.entries[i].Uses = withoutMessages(f.entries[i].Uses)
		f.total -= f.sizes[i]
		f.sizes[i] = sizeOf(f.entries[i])
		f.total += f.sizes[i]
		omitted++
	}
	return omitted
}

// omitEntries returns the entries to omit, in this order, so that the others fit.
func (f *fitting) omitEntries(order []int) map[int]bool {
	left := map[int]bool{}
	for _, i := range order {
		if f.total <= f.limit {
			break
		}
		f.total -= f.sizes[i]
		left[i] = true
	}
	return left
}

// withoutMessage counts the entries that have a reason and no message.
func withoutMessage(entries []v1alpha1.CertificateEntry) (count int32) {
	for _, entry := range entries {
		if entry.Reason != "" && entry.Message == "" {
			count++
		}
	}
	return count
}

// withoutMessages returns uses without their messages. The list is shared with what was reported before.
func withoutMessages(uses []v1alpha1.UseState) []v1alpha1.UseState {
	uses = slices.Clone(uses)
	for i := range uses {
		uses[i].Message = ""
	}
	return uses
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
		return MaxSize // impossible: JSON can express every field
	}
	return len(text) + 1
}

// compareWeight sorts the most important entries first: failed before pending, terminal reasons before waiting ones, and entries
// without a reason last.
func compareWeight(a, b v1alpha1.CertificateEntry) int {
	return cmp.Or(
		cmp.Compare(weight(a), weight(b)),
		strings.Compare(a.Name, b.Name),
	)
}

var (
	stateWeights = map[v1alpha1.CertificateState]int{
		v1alpha1.StateFailed: 0, v1alpha1.StatePending: 10, v1alpha1.StateInstalled: 20, v1alpha1.StateSuspended: 30,
	}
	classWeights = map[v1alpha1.Class]int{
		v1alpha1.ClassTerminal: 0, v1alpha1.ClassWaiting: 1, v1alpha1.ClassTransient: 2, v1alpha1.ClassNone: 3,
	}
)

func weight(entry v1alpha1.CertificateEntry) int {
	if entry.Reason == "" {
		return stateWeights[entry.State] + 4
	}
	return stateWeights[entry.State] + classWeights[entry.Reason.Class()]
}
