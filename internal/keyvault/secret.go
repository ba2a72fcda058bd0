package keyvault

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Secret is one version of a secret.
type Secret struct {
	// Value is the secret's value. It belongs to the caller, who overwrites it.
	Value []byte
	// ContentType is the secret's content type, empty if it has none.
	ContentType string
	// Version is the version in the vault's response.
	Version string
	// NotBefore and Expires are the secret's own validity in the vault; nil if it has none.
	NotBefore, Expires *time.Time
	// Created is when this version was created in the vault; nil if the response does not have it. It orders the versions of a
	// secret.
	Created *time.Time
}

// responseVersion allows more than Key Vault's own versions, for vaults that are not Azure's, and nothing that could not stand
// in a mark, which is one line of words.
var responseVersion = regexp.MustCompile(`^[0-9A-Za-z._-]{1,128}$`)

// secretOf returns the secret in a response, or a Failure.
func secretOf(of request, response azsecrets.GetSecretResponse) (Secret, error) {
	if response.ID == nil || !responseVersion.MatchString(response.ID.Version()) || response.Value == nil {
		return Secret{}, notFromKeyVault(of, "the response has no secret's id and value")
	}
	result := Secret{Value: []byte(*response.Value), Version: response.ID.Version()}
	if response.ContentType != nil {
		result.ContentType = *response.ContentType
	}
	if attributes := response.Attributes; attributes != nil {
		if attributes.Enabled != nil && !*attributes.Enabled { // Key Vault refuses with 403; others return the value with this flag
			clear(result.Value)
			return Secret{}, &Failure{
				Reason:  v1alpha1.ReasonSecretDisabled,
				Message: about(of) + "the vault returned a secret that is not enabled; " + adviceFor(v1alpha1.ReasonSecretDisabled, of, &vaultError{}),
			}
		}
		result.NotBefore, result.Expires, result.Created = attributes.NotBefore, attributes.Expires, attributes.Created
	}
	return result, nil
}

// The methods below are the only printed forms of a Secret: a log line, a panic or a report shows its version and type.

// String returns the secret's version and content type.
func (s Secret) String() string {
	return fmt.Sprintf("secret(version %s, %q)", s.Version, s.ContentType)
}

// GoString returns what String returns.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb and its flags: %v would print the value's bytes otherwise.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// MarshalJSON returns what String returns.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }
