package eventgrid

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// Event is an event as CloudEvents 1.0 in JSON. Raw makes one that is not valid.
type Event json.RawMessage

// Raw returns an event whose text is any JSON.
func Raw(text string) Event {
	if !json.Valid([]byte(text)) {
		panic("eventgrid: an event is JSON; its data may be anything")
	}
	return Event(text)
}

// Publish adds events to the subscription, without a request. A deleted subscription receives nothing.
func (s *Server) Publish(events ...Event) {
	if s.isDeleted() {
		return
	}
	all := make([]json.RawMessage, len(events))
	for i, event := range events {
		all[i] = json.RawMessage(event)
	}
	s.queue.put(all...)
}

// Object is what an event of Key Vault is about.
type Object struct {
	// VaultURL is the vault's URL, such as https://sample-kv.vault.azure.net; VaultName its name.
	VaultURL, VaultName string
	// Kind is Secret, Certificate or Key.
	Kind string
	// Name is the object's name, Version its version.
	Name, Version string
	// NotBefore and Expires are its attributes, zero for none.
	NotBefore, Expires time.Time
}

// KeyVaultEvent returns an event of Key Vault: Microsoft.KeyVault. followed by the object's kind and what happened, such as
// NewVersionCreated, NearExpiry or Expired
// (https://learn.microsoft.com/azure/event-grid/event-schema-key-vault, for the schema of CloudEvents).
func KeyVaultEvent(about Object, happened string) Event {
	plural := map[string]string{"Secret": "secrets", "Certificate": "certificates", "Key": "keys"}[about.Kind]
	encoded, err := json.Marshal(map[string]any{
		"id":          uuid.NewString(),
		"source":      "/subscriptions/" + uuid.Nil.String() + "/resourceGroups/sample-rg/providers/Microsoft.KeyVault/vaults/" + about.VaultName,
		"subject":     about.Name,
		"type":        "Microsoft.KeyVault." + about.Kind + happened,
		"time":        time.Now().UTC().Format(time.RFC3339Nano),
		"specversion": "1.0",
		"data": map[string]any{
			"Id":        fmt.Sprintf("%s/%s/%s/%s", about.VaultURL, plural, about.Name, about.Version),
			"VaultName": about.VaultName, "ObjectType": about.Kind, "ObjectName": about.Name, "Version": about.Version,
			"NBF": unixOrNil(about.NotBefore), "EXP": unixOrNil(about.Expires),
		},
	})
	if err != nil {
		panic("eventgrid: " + err.Error()) // texts and numbers always encode
	}
	return encoded
}

// EventsOf returns the events that Key Vault publishes for a new version. A certificate's has two, one of its secret.
func EventsOf(made keyvault.NewVersion) []Event {
	about := Object{
		VaultURL: made.Vault.URL(), VaultName: made.Vault.Name(), Kind: "Secret", Name: made.Name, Version: made.Version,
		NotBefore: made.NotBefore, Expires: made.Expires,
	}
	events := []Event{KeyVaultEvent(about, "NewVersionCreated")}
	if made.Certificate {
		about.Kind = "Certificate"
		events = append(events, KeyVaultEvent(about, "NewVersionCreated"))
	}
	return events
}

func unixOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}
