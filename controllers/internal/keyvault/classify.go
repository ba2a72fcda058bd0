package keyvault

import (
	"context"
	"errors"
	"regexp"
	"strings"
)

// classify turns a settled error into a Fault. What is neither a failed exchange nor a refusal is a challenge that cannot
// be met, or a credential that is not there.
func classify(secret SecretURL, clientID string, err error) error {
	var wire *wireError
	var refusal *refusalError
	switch {
	case errors.As(err, new(*metadataError)):
		return authenticationFault(secret, clientID, attempts(err))
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

// oneLine makes foreign text fit for a status message: its first line, without control characters, at most 300 bytes.
func oneLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return strings.TrimSuffix(strings.TrimSpace(text), ".")
}
