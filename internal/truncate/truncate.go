// Package truncate cuts text to the limits of what it is written into, and makes text from outside safe to show.
package truncate

import "strings"

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
