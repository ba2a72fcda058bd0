// Package truncate cuts text to the limits of what it is written into, and makes text from outside safe to show.
package truncate

import (
	"fmt"
	"strings"
)

// EventNote is how long an event's note may be, in bytes
// (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
const EventNote = 1024

// Cut shortens a text to at most limit bytes, at the boundary of a character, and shows that by three dots. limit is at least 3.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-3], "") + "..."
}

// List names the first three entries of a list, each as Line makes it safe, and counts the rest: a spec may name 64 accounts of
// 256 characters.
func List(names []string) string {
	const most, length = 3, 120
	var named []string
	for _, name := range names[:min(most, len(names))] {
		named = append(named, Line(name, length))
	}
	if rest := len(names) - len(named); rest > 0 {
		named = append(named, fmt.Sprintf("%d more", rest))
	}
	return strings.Join(named, ", ")
}
