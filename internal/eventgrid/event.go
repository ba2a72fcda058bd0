package eventgrid

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// secret is what an event is about: the arguments of Look.
type secret struct{ authority, name string }

// verdict is what becomes of an event. The values are those of the label result.
type verdict string

// The verdicts. An event is acknowledged whatever its verdict: another delivery would not change it.
const (
	// looked is an event that asked for a look.
	looked verdict = "looked"
	// ignored is an event of another type, or about a secret that nothing uses.
	ignored verdict = "ignored"
	// invalid is an event that cannot be read.
	invalid verdict = "invalid"
)

// types are the event types that can mean another version, in lower case; certificates share names with their secrets. Expiry is
// among them, since what is published depends on the dates. There is none for a version that is disabled or enabled
// (https://learn.microsoft.com/azure/event-grid/event-schema-key-vault).
var types = []string{
	"microsoft.keyvault.secretnewversioncreated", "microsoft.keyvault.secretnearexpiry", "microsoft.keyvault.secretexpired",
	"microsoft.keyvault.certificatenewversioncreated", "microsoft.keyvault.certificatenearexpiry", "microsoft.keyvault.certificateexpired",
}

// Forms of what an event names (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates).
var (
	authorityForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)
	vaultForm     = regexp.MustCompile(`^[a-z0-9-]{3,24}$`)
	secretForm    = regexp.MustCompile(`^[0-9A-Za-z-]{1,127}$`)
)

// readEvent reads an event in CloudEvents' JSON. It returns looked for one that asks for a look, even if nothing uses its secret.
func readEvent(event json.RawMessage) (secret, verdict) {
	envelope := fieldsOf(event)
	kind := envelope.text("type")
	switch {
	case kind == "":
		return secret{}, invalid
	case !slices.Contains(types, strings.ToLower(kind)):
		return secret{}, ignored
	}
	data := envelope["data"]
	if encoded := envelope.text("data_base64"); encoded != "" {
		data, _ = base64.StdEncoding.DecodeString(encoded) // what is not base64 has no fields
	}
	about, ok := secretOf(fieldsOf(data))
	if !ok {
		return secret{}, invalid
	}
	return about, looked
}

// secretOf returns the vault and the secret that Key Vault's data names: Id is the object's URL. VaultName and ObjectName repeat
// parts of it; without a URL the vault is taken to be in Azure's public cloud. A wrong guess costs no request: nothing uses it.
func secretOf(data fields) (secret, bool) {
	named := strings.ToLower(data.text("vaultname"))
	about, vault := secret{named + ".vault.azure.net", data.text("objectname")}, vaultForm.MatchString(named)
	if id, err := url.Parse(data.text("id")); err == nil && id.Host != "" {
		about.authority = strings.TrimSuffix(strings.ToLower(id.Host), ":443")
		vault = id.Scheme == "https" && authorityForm.MatchString(about.authority)
		if parts := strings.Split(id.Path, "/"); about.name == "" && len(parts) > 2 {
			about.name = parts[2]
		}
	}
	return about, vault && secretForm.MatchString(about.name)
}

// fields are the fields of a JSON object by their names in lower case and without blanks. Key Vault's documentation has examples
// with a blank in a name and before a value, and in either case.
type fields map[string]json.RawMessage

// fieldsOf returns the fields of an object; none of anything else.
func fieldsOf(object json.RawMessage) fields {
	var raw map[string]json.RawMessage
	if json.Unmarshal(object, &raw) != nil {
		return nil
	}
	read := make(fields, len(raw))
	for _, name := range slices.Sorted(maps.Keys(raw)) { // so that of two equal names the same one counts each time
		read[strings.ToLower(strings.TrimSpace(name))] = raw[name]
	}
	return read
}

// text returns a field without blanks around it, empty if it is missing or no text.
func (f fields) text(name string) string {
	var text string
	if json.Unmarshal(f[name], &text) != nil {
		return ""
	}
	return strings.TrimSpace(text)
}
