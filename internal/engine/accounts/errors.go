package accounts

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Unknown names the accounts of a spec that do not exist on the node.
type Unknown struct{ names []string }

// Error implements error.
func (e *Unknown) Error() string {
	return "the node does not know " + truncate.List(e.names) + "; correct spec.accounts or create the account: until then the other accounts can use the private key, but this one cannot"
}

// Unavailable says that the node cannot look up accounts of a spec at the moment, because their domain does not answer.
type Unavailable struct{ err error }

// Error implements error.
func (e *Unavailable) Error() string {
	return "the node cannot look up " + truncate.List(strings.Split(e.err.Error(), "\n")) + " at the moment; existing keys keep their access, and the lookup is retried"
}

// Unwrap returns what the machine reported.
func (e *Unavailable) Unwrap() error { return e.err }
