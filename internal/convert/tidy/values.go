package tidy

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// Bounds of the interval, those of the CRD.
const (
	shortest = 30
	longest  = 2592000
)

// interval returns whole seconds within the bounds; nil if it is no number of seconds.
func (r *reading) interval(at find.Value) *document.Node {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(at.Node.Text), 64)
	scalar := at.Node.Kind == document.String || at.Node.Kind == document.Number
	switch {
	case !scalar || err != nil || seconds < 0 || seconds != math.Trunc(seconds) || math.IsInf(seconds, 0):
		r.Findings.Hand(at.Place, "is %s, must be a whole number of seconds; it is left out, so the interval is 3600", finding.Shown(at.Node))
		return nil
	case seconds < shortest:
		r.Findings.Note(at.Place, "is %s, less than %d seconds, the least that is allowed; it is raised to %d", at.Node.Text, shortest, shortest)
	case seconds > longest:
		r.Findings.Note(at.Place, "is %s, more than %d seconds (30 days), the most that is allowed; it is lowered to %d", at.Node.Text, longest, longest)
	}
	return document.NewInteger(int64(max(shortest, min(longest, seconds))), at.Line)
}

// words are how booleans are written besides true and false.
var words = map[string]bool{"yes": true, "on": true, "1": true, "$true": true, "no": false, "off": false, "0": false, "$false": false}

func (r *reading) boolean(at find.Value) *document.Node {
	text := strings.ToLower(strings.TrimSpace(at.Node.Text))
	if text == "true" || text == "false" {
		return document.NewBoolean(text == "true", at.Line)
	}
	if is, known := words[text]; known && at.Node.Kind != document.List && at.Node.Kind != document.Map {
		r.Findings.Note(at.Place, "is %s, which is read as %t", at.Node.Text, is)
		return document.NewBoolean(is, at.Line)
	}
	r.Findings.Hand(at.Place, "is %s, must be true or false; it is left out", finding.Shown(at.Node))
	return nil
}

var (
	// nothing is what ConvertTo-Json writes for a list of which nothing is left.
	nothing = regexp.MustCompile(`^(System\.[A-Z]|@\{)`)
	// wellKnown are accounts that settings name most.
	wellKnown = regexp.MustCompile(`(?i)\b(network service|local service|iis_iusrs|administrators|users|everyone)\b`)
)

// joined reports whether a string has several accounts without anything between them but a blank.
func joined(text string) bool {
	several := len(wellKnown.FindAllString(text, 2)) > 1 || strings.Count(text, `\`) > 1
	return nothing.MatchString(text) || several && !strings.ContainsAny(text, ",;[")
}

// accounts leaves out what is no name.
func (r *reading) accounts(at find.Value) *document.Node {
	if at = counted(at); at.Node.Kind != document.List {
		if at.Node.Kind == document.String {
			if joined(at.Node.Text) {
				r.Findings.Hand(at.Place, "is %s, as ConvertTo-Json writes a list below its -Depth; it is left out: write each account as an entry of its own", finding.Shown(at.Node))
				return nil
			}
			r.Findings.Note(at.Place, "is a string, %s; it is read as a list of accounts", finding.Shown(at.Node))
		}
		return at.Node
	}
	made := &document.Node{Kind: document.List, Line: at.Line}
	for _, item := range at.Node.Items {
		switch why := r.unknown(item); {
		case why != "":
			r.Findings.Hand(at.Place, "%s; this account is left out", why)
		case item.Absent():
		case item.Kind != document.String:
			r.Findings.Hand(at.Place, "has %s, must be names of Windows accounts; it is left out", item.Shown())
		default:
			made.Items = append(made.Items, item)
		}
	}
	if len(made.Items) == 0 {
		return nil
	}
	return made
}
