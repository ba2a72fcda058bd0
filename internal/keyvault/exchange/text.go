package exchange

import (
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Limits of foreign text in a message, in characters.
const (
	MaxText = 300 // a message of Azure or of the network
	MaxName = 100 // a resource or tenant
	MaxID   = 64  // the ID of a request or client; those of Azure have 36
)

// hints matches the part of an Azure message after the cause that are less specific than our own advice.
var hints = regexp.MustCompile(`\s(For help|For more information|If you recently|To troubleshoot|This can happen|Check (your|with|to)|Ensure the|Review the|Visit the|https://learn\.microsoft\.com|https://docs\.microsoft\.com)\b.*`)

// Gist returns the part of a message of Azure that states the cause, in the form of OneLine.
func Gist(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return OneLine(hints.ReplaceAllString(text, ""))
}

// unstable matches what differs from attempt to attempt in texts of Azure, HTTP/2 and the network without describing the cause:
// request IDs, the time of the attempt, stream numbers and local ports.
var unstable = regexp.MustCompile(`(?i)[,;]?\s*\b(?:client[ -]?request|request|trace|correlation|activity|tracking)[ _-]?id\b\s*[:=]?\s*['"]?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}['"]?` +
	`|[,;]?\s*\b(?:timestamp|current time)\b\s*[:=]?\s*['"]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.]*(?:Z|[+-]\d\d:?\d\d)?['"]?[,;]?` +
	`|\bstream id \d+;?\s*|\blaststreamid=\d+,?\s*|\b(?:tcp|udp) \S+->`)

// OneLine makes foreign text safe for a status message: one line of bounded length, equal for equal causes.
func OneLine(text string) string {
	return strings.TrimSuffix(truncate.Line(unstable.ReplaceAllString(text, ""), MaxText), ".")
}
