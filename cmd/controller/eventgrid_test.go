package main

import (
	"context"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/await"
	gridtest "github.com/vaultpane/vaultpane/test/eventgrid"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

const namespace = "https://vaultpane.westeurope-1.eventgrid.azure.net"

func TestEventGridsFlagsGoTogether(t *testing.T) {
	tests := []struct {
		name      string
		arguments []string
		says      string // empty for valid flags
	}{
		{"none", nil, ""},
		{"none, and the watch", []string{"--version-watch"}, ""},
		{"all", []string{"--version-watch", "--event-grid-endpoint", namespace, "--event-grid-topic=vaults", "--event-grid-subscription=prod"}, ""},
		{"an endpoint only", []string{"--version-watch", "--event-grid-endpoint", namespace}, "--event-grid-topic is empty, must be set together with"},
		{"no endpoint", []string{"--version-watch", "--event-grid-topic=vaults", "--event-grid-subscription=prod"}, "--event-grid-endpoint is empty"},
		{"without the watch", []string{"--event-grid-endpoint", namespace, "--event-grid-topic=vaults", "--event-grid-subscription=prod"}, "set --version-watch, or remove"},
		{"another host", []string{"--version-watch", "--event-grid-endpoint=https://grid.example", "--event-grid-topic=vaults", "--event-grid-subscription=prod"}, "--event-grid-endpoint is https://grid.example, must be"},
		{"an allowed host", []string{"--version-watch", "--event-grid-endpoint=https://grid.example", "--event-grid-topic=vaults", "--event-grid-subscription=prod", "--allowed-vault-hosts=grid.example"}, ""},
		{"a topic that is none", []string{"--version-watch", "--event-grid-endpoint", namespace, "--event-grid-topic=a/b", "--event-grid-subscription=prod"}, `--event-grid-topic is "a/b", must have`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(nil, test.arguments...)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want %q in it", err, test.says)
			}
		})
	}
}

// The receiver has the version watch's identity, trust and allowed hosts.
func TestTheReceiverIsMadeOfTheFlags(t *testing.T) {
	vaults := vaulttest.ForTest(t, "shop")
	grid := gridtest.ForTest(t, gridtest.Options{Vaults: vaults, Follow: true})
	for _, variable := range vaults.Env() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	o, err := parse(nil, "--version-watch", "--allowed-vault-hosts=localhost", "--ca-bundle", vaults.CAFile(),
		"--event-grid-endpoint", grid.Endpoint(), "--event-grid-topic", grid.Topic(), "--event-grid-subscription", grid.Subscription())
	if err != nil {
		t.Fatal(err)
	}
	looks := make(chan string, 10)
	receiver, err := newReceiver(func(authority, name string) bool { looks <- authority + "/" + name; return true }, &o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), await.Limit)
	defer cancel()
	go func() { _ = receiver.Run(ctx) }()
	vaults.Vault("shop").PutRaw("word", "text/plain", "value")
	select {
	case got := <-looks:
		if want := strings.TrimPrefix(vaults.Vault("shop").URL(), "https://") + "/word"; got != want {
			t.Errorf("got a look at %s, want %s", got, want)
		}
	case <-ctx.Done():
		t.Fatal("no look was asked for")
	}
}
