package keyvault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// classify turns an error of the SDK into a Fault. What broke on the wire comes first: the SDK hides it behind the
// credential that wanted the token.
func classify(secret SecretURL, clientID string, err error, trail *trail) error {
	if host, cause := trail.failure(); cause != nil {
		return networkFault(secret, host, cause)
	}
	var response *azcore.ResponseError
	var authentication *azidentity.AuthenticationFailedError
	switch {
	case errors.As(err, &authentication):
		return tokenFault(secret, clientID, authentication)
	case errors.As(err, &response):
		return responseFault(secret, clientID, response)
	case errors.Is(err, context.DeadlineExceeded):
		return networkFault(secret, secret.Authority(), err)
	case isDecodeError(err):
		return &Fault{
			Reason:  v1alpha1.ReasonVaultUnreachable,
			Message: fmt.Sprintf("reading secret %q: %s answered with something that is not Key Vault's JSON; check what stands between the node and the vault, such as a web proxy or a sign-in page", secret.Name, secret.Authority()),
		}
	case isNetworkError(err): // of the request that this one waited for
		return networkFault(secret, hostOf(secret, err), err)
	case isCredentialError(err):
		return authenticationFault(secret, clientID, oneLine(err.Error()))
	default:
		return authenticationFault(secret, clientID, oneLine(err.Error()))
	}
}

// isCredentialError reports whether no credential could be tried at all, which azidentity marks as not retriable.
func isCredentialError(err error) bool {
	var notRetriable interface{ NonRetriable() }
	return errors.As(err, &notRetriable)
}

func isDecodeError(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.ErrUnexpectedEOF)
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
