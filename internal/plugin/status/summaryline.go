package status

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// line sums up in one sentence or two.
func (s Summary) line(now time.Time) string {
	var parts []string
	for _, part := range []struct {
		count int
		word  string
	}{
		{s.Failed, "failed"}, {s.RollingOut, "rolling out"}, {s.Unprocessed, "not processed yet"},
		{s.NoNodes, "without nodes"}, {s.Suspended, "suspended"}, {s.Installed, "installed"},
	} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.word))
		}
	}
	text := terminal.Count(s.Certificates, "certificate") + ": " + strings.Join(parts, ", ") + "."
	switch {
	case s.NeedsAction == 1:
		text += " 1 needs action."
	case s.NeedsAction > 1:
		text += fmt.Sprintf(" %d need action.", s.NeedsAction)
	}
	if s.NextExpiry != nil {
		text += fmt.Sprintf(" Next expiry: %s %s (%s).", s.NextExpiry.Certificate, terminal.Until(s.NextExpiry.NotAfter.Time, now), timestamp(&s.NextExpiry.NotAfter))
	}
	return text
}

// timestamp is a time as kubectl prints it, empty for none.
func timestamp(at *metav1.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
