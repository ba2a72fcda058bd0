package eventgrid

import (
	"strings"
	"testing"
)

func TestCheckOptions(t *testing.T) {
	const azure = "https://vaultpane.westeurope-1.eventgrid.azure.net"
	tests := []struct {
		name, endpoint, topic, subscription string
		allowed                             []string
		says                                []string
	}{
		{"Azure's", azure, "vaults", "vaultpane", nil, nil},
		{"with a slash and the port", azure + ":443/", "vaults", "vaultpane", nil, nil},
		{"in upper case", strings.ToUpper(azure), "vaults", "vaultpane", nil, nil},
		{"an allowed host", "https://localhost:8443", "vaults", "vaultpane", []string{"localhost"}, nil},
		{"an allowed host and port", "https://localhost:8443", "vaults", "vaultpane", []string{"LOCALHOST:8443 "}, nil},
		{"an allowed suffix", "https://grid.my.cloud", "vaults", "vaultpane", []string{".my.cloud"}, nil},

		{"nothing", "", "vaults", "vaultpane", nil, []string{"endpoint is \"\", must be https://<namespace>.<region>-1.eventgrid.azure.net"}},
		{"no scheme", "vaultpane.westeurope-1.eventgrid.azure.net", "vaults", "vaultpane", nil, []string{"endpoint is", "must be https://"}},
		{"plain HTTP", "http://vaultpane.westeurope-1.eventgrid.azure.net", "vaults", "vaultpane", nil, []string{"it does not begin with https://"}},
		{"a custom topic", azure + "/api/events", "vaults", "vaultpane", nil, []string{"which is a custom topic"}},
		{"a path", azure + "/topics/vaults", "vaults", "vaultpane", nil, []string{"it has a path"}},
		{"a query", azure + "?a=b", "vaults", "vaultpane", nil, []string{"a query"}},
		{"a password, which is not repeated", "https://user:hunter2@grid.example", "vaults", "vaultpane", nil, []string{"xxxxx"}},
		{"another host", "https://grid.example", "vaults", "vaultpane", nil, []string{"endpoint is https://grid.example", "--allowed-vault-hosts"}},
		{"another host with the name before it", "https://vaultpane.westeurope-1.eventgrid.azure.net.example", "vaults", "vaultpane", nil, []string{"another host receives tokens only if it is allowed"}},
		{"another port of Azure's", azure + ":8443", "vaults", "vaultpane", nil, []string{"another host receives tokens only if it is allowed"}},
		{"the MQTT broker", "https://vaultpane.westeurope-1.ts.eventgrid.azure.net", "vaults", "vaultpane", nil, []string{"MQTT"}},
		{"an allowed host on another port", "https://localhost:8443", "vaults", "vaultpane", []string{"localhost:443"}, []string{"endpoint is https://localhost:8443"}},
		{"a name that ends like an allowed host", "https://mylocalhost:8443", "vaults", "vaultpane", []string{"localhost"}, []string{"endpoint is https://mylocalhost:8443"}},
		{"a suffix that is the host", "https://my.cloud", "vaults", "vaultpane", []string{".my.cloud"}, []string{"endpoint is https://my.cloud"}},
		{"no topic", azure, "", "vaultpane", nil, []string{"topic is \"\", must have 3 to 50"}},
		{"a topic with a slash", azure, "vaults/x", "vaultpane", nil, []string{"topic is \"vaults/x\""}},
		{"a subscription with a colon", azure, "vaults", "vaultpane:receive", nil, []string{"subscription is \"vaultpane:receive\""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options := Options{Endpoint: test.endpoint, Topic: test.topic, Subscription: test.subscription, AllowedHosts: test.allowed}
			err := options.Check()
			if (err == nil) != (test.says == nil) {
				t.Fatalf("got %v, want an error: %t", err, test.says != nil)
			}
			for _, text := range test.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("got %v, want %q in it", err, text)
				}
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, with the password", err)
			}
		})
	}
}

func TestNewRefusesWhatIsWrong(t *testing.T) {
	good := Options{
		Endpoint: "https://vaultpane.westeurope-1.eventgrid.azure.net", Topic: "vaults", Subscription: "vaultpane",
		Look: func(string, string) bool { return true },
	}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for text, spoil := range map[string]func(*Options){
		"look is missing":             func(o *Options) { o.Look = nil },
		"is not one of default":       func(o *Options) { o.Credential = "developer" },
		"it does not begin with http": func(o *Options) { o.AuthorityHost = "http://login.example/" },
		"holds no PEM certificate":    func(o *Options) { o.CABundle = []byte("nothing") },
		"topic is":                    func(o *Options) { o.Topic = "" },
	} {
		spoiled := good
		spoil(&spoiled)
		if _, err := New(spoiled); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q in it", err, text)
		}
	}
}
