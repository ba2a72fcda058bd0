package keyvault

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/truncate"
)

// classify turns a settled error into a Fault. What is neither a failed exchange nor a refusal is a challenge that cannot
// be met, or a credential that is not there.
func classify(secret SecretURL, clientID string, err error) error {
	var wire *wireError
	var refusal *refusalError
	var explained *explainedError
	switch {
	case errors.As(err, &explained):
		return authenticationFault(secret, clientID, explained.text)
	case errors.As(err, &wire):
		return networkFault(secret, clientID, wire.host, wire.cause)
	case errors.As(err, &refusal) && refusal.login:
		return tokenFault(secret, clientID, refusal)
	case errors.As(err, &refusal):
		return responseFault(secret, clientID, refusal)
	case errors.Is(err, context.DeadlineExceeded):
		return networkFault(secret, clientID, secret.Authority(), err)
	default:
		return authenticationFault(secret, clientID, attempts(err))
	}
}

// furtherHelp is where Azure's messages go over from what is wrong to hints that say less than our own advice.
var furtherHelp = regexp.MustCompile(`\s(For help|For more information|If you recently|To troubleshoot|This can happen|Check (your|with|to)|Ensure the|Review the|Visit the|https://learn\.microsoft\.com|https://docs\.microsoft\.com)\b.*`)

// gist is the part of Azure's message that says what is wrong, fit for a status message.
func gist(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return oneLine(furtherHelp.ReplaceAllString(text, ""))
}

// unstable is what differs from attempt to attempt in texts of Azure, HTTP/2 and the network, and says nothing about the cause:
// ids of requests, times of the attempt, numbers of streams and local ports.
var unstable = regexp.MustCompile(`(?i)[,;]?\s*\b(?:client[ -]?request|request|trace|correlation|activity|tracking)[ _-]?id\b\s*[:=]?\s*['"]?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}['"]?` +
	`|[,;]?\s*\b(?:timestamp|current time)\b\s*[:=]?\s*['"]?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.]*(?:Z|[+-]\d\d:?\d\d)?['"]?[,;]?` +
	`|\bstream id \d+;?\s*|\blaststreamid=\d+,?\s*|\b(?:tcp|udp) \S+->`)

// maxText is how long a foreign text may be in a message, in characters.
const maxText = 300

// oneLine makes foreign text fit for a status message: a Line that is the same each time that its meaning is.
func oneLine(text string) string {
	return strings.TrimSuffix(truncate.Line(unstable.ReplaceAllString(text, ""), maxText), ".")
}
