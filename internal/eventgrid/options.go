package eventgrid

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
)

// Options configure a Receiver.
type Options struct {
	// Endpoint is the URL of the namespace's topics: https://NAMESPACE.REGION-1.eventgrid.azure.net.
	Endpoint string
	// Topic is the name of a namespace topic, Subscription of its event subscription with pull delivery.
	Topic, Subscription string
	// AllowedHosts are hosts outside Azure's domain that the endpoint may have: "host", "host:port" or ".suffix". They receive
	// tokens. For test servers and private clouds.
	AllowedHosts []string
	// Credential is how the receiver authenticates; empty for auth.CredentialDefault.
	Credential auth.Credential
	// AuthorityHost is the URL of the token authority, empty for AZURE_AUTHORITY_HOST or that of Azure's public cloud.
	AuthorityHost string
	// CABundle holds PEM certificates that are trusted in addition to the system's.
	CABundle []byte
	// Look is called for the secret of each event. Required.
	Look Look
}

// Look asks for a look at the versions of a secret, and returns at once. authority is the vault's host in lower case, with the
// port unless it is 443. The secret's name is as Key Vault writes it, which may differ in case from what others write. observed is
// false if nothing uses that secret. It is called by one goroutine at a time.
type Look func(authority, secretName string) (observed bool)

// names are the names of topics and event subscriptions
// (https://learn.microsoft.com/azure/templates/microsoft.eventgrid/2025-02-15/namespaces/topics/eventsubscriptions).
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{1,48}[A-Za-z0-9]$`)

const nameForm = "must have 3 to 50 letters, digits and hyphens"

// Check returns an error for the first wrong setting, which begins with its name.
func (o *Options) Check() error {
	endpoint, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return fmt.Errorf("endpoint %w", err)
	}
	if err := endpoint.allow(o.AllowedHosts); err != nil {
		return fmt.Errorf("endpoint %w", err)
	}
	switch {
	case !names.MatchString(o.Topic):
		return fmt.Errorf("topic is %s, %s", shown(o.Topic), nameForm)
	case !names.MatchString(o.Subscription):
		return fmt.Errorf("subscription is %s, %s", shown(o.Subscription), nameForm)
	}
	return nil
}

// complete checks what New needs in addition to Check.
func (o *Options) complete() error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.Look == nil {
		return errors.New("look is missing")
	}
	if err := auth.CheckCredential(o.Credential); err != nil {
		return fmt.Errorf("credential: %w", err)
	}
	if o.AuthorityHost != "" {
		if err := auth.CheckAuthority(o.AuthorityHost); err != nil {
			return fmt.Errorf("authority host %s, %w", shown(o.AuthorityHost), err)
		}
	}
	return nil
}
