package document

import (
	"fmt"
	"regexp"
	"strings"
)

// Problem is something wrong in a document. The file's name is the caller's business.
type Problem struct {
	// Line is its line, from 1.
	Line int
	// Field is the path of the value, empty if the text has no values yet.
	Field string
	// Value is the value as Shown, empty if there is none or it should not be shown.
	Value string
	// Text says what is wrong and what to do.
	Text string
}

// shownLength is how many characters of a value a message shows.
const shownLength = 80

// secrets are the parts of URLs that may hold a password or a signature.
var secrets = regexp.MustCompile(`(://)[^/?#\s]*@|([?])[^?]+`)

// Shown makes a string safe for a message: quoted, at most 80 characters, without a password or query of a URL. A PEM block and
// a text of several lines become empty: they may be a private key or the content of a Secret.
func Shown(text string) string {
	if strings.Contains(text, "-----BEGIN") || strings.Contains(strings.TrimSpace(text), "\n") {
		return ""
	}
	text = secrets.ReplaceAllStringFunc(text, func(part string) string {
		if strings.HasPrefix(part, "?") {
			return "?…"
		}
		return "://…@"
	})
	if runes := []rune(text); len(runes) > shownLength {
		text = string(runes[:shownLength]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

// Shown is the value of a scalar for a message, and the kind of a list or map.
func (n *Node) Shown() string {
	switch n.Kind {
	case String:
		return Shown(n.Text)
	case Boolean, Number:
		return strings.Trim(Shown(n.Text), `"`)
	default:
		return string(n.Kind)
	}
}
