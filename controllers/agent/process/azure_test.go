package process

import (
	"strings"
	"testing"
)

func TestCheckAzure(t *testing.T) {
	tests := []struct {
		name        string
		settings    Settings
		environment string // AZURE_AUTHORITY_HOST
		says        []string
	}{
		{"nothing", Settings{}, "", nil},
		{"an authority in the environment", Settings{}, "https://login.microsoftonline.us/", nil},
		{"with a tenant", Settings{}, "https://login.microsoftonline.us/my-tenant", []string{"AZURE_AUTHORITY_HOST is", "it has a path", "AZURE_TENANT_ID"}},
		{"over plain HTTP", Settings{}, "http://login.example/", []string{"AZURE_AUTHORITY_HOST is", "https://"}},
		{"no URL", Settings{}, "login.example", []string{"AZURE_AUTHORITY_HOST is", "https://"}},
		{"a password, which is not repeated", Settings{}, "https://user:hunter2@login.example/", []string{"AZURE_AUTHORITY_HOST is", "https://xxxxx@login.example/"}},
		{"a query", Settings{}, "https://login.example/?a=b", []string{"a query"}},
		{"the flag comes first", Settings{AuthorityHost: "https://login.example/"}, "http://login.example/", nil},
		{"a wrong flag", Settings{AuthorityHost: "https://login.example/tenant"}, "", []string{"--authority-host is", "it has a path"}},
		{"hosts of challenges", Settings{DisableChallengeResourceVerification: []string{"localhost:8443", ".my.cloud", "kv.internal=https://vault.my.cloud"}}, "", nil},
		{"as it was: on or off", Settings{DisableChallengeResourceVerification: []string{"true"}}, "", nil},
		{"a host with a scheme", Settings{DisableChallengeResourceVerification: []string{"https://localhost"}}, "",
			[]string{"--disable-challenge-resource-verification", `"https://localhost"`}},
		{"Azure's management", Settings{DisableChallengeResourceVerification: []string{"kv.internal=https://management.azure.com"}}, "",
			[]string{"--disable-challenge-resource-verification", "Microsoft's own"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AZURE_AUTHORITY_HOST", test.environment)
			err := test.settings.CheckAzure()
			if (err == nil) != (test.says == nil) {
				t.Fatalf("got %v, want an error: %t", err, test.says != nil)
			}
			for _, text := range test.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("got %v, want %q in it", err, text)
				}
			}
		})
	}
}

func TestChallengeHosts(t *testing.T) {
	hosts, all := Settings{DisableChallengeResourceVerification: []string{"false", "localhost:8443"}}.challengeHosts()
	if all || len(hosts) != 1 || hosts[0] != "localhost:8443" {
		t.Errorf("got %v and all %t", hosts, all)
	}
	if hosts, all = (Settings{DisableChallengeResourceVerification: []string{"true"}}).challengeHosts(); !all || len(hosts) != 0 {
		t.Errorf("got %v and all %t, want all allowed hosts", hosts, all)
	}
}
