package main

import (
	"strings"
	"testing"
)

func TestCheckAzure(t *testing.T) {
	tests := []struct {
		name        string
		settings    options
		environment string // AZURE_AUTHORITY_HOST
		says        []string
	}{
		{"nothing", options{}, "", nil},
		{"an authority in the environment", options{}, "https://login.microsoftonline.us/", nil},
		{"with a tenant", options{}, "https://login.microsoftonline.us/my-tenant", []string{"AZURE_AUTHORITY_HOST is", "it has a path", "AZURE_TENANT_ID"}},
		{"over plain HTTP", options{}, "http://login.example/", []string{"AZURE_AUTHORITY_HOST is", "https://"}},
		{"no URL", options{}, "login.example", []string{"AZURE_AUTHORITY_HOST is", "https://"}},
		{"a password, which is not repeated", options{}, "https://user:hunter2@login.example/", []string{"AZURE_AUTHORITY_HOST is", "https://xxxxx@login.example/"}},
		{"a query", options{}, "https://login.example/?a=b", []string{"a query"}},
		{"the flag comes first", options{AuthorityHost: "https://login.example/"}, "http://login.example/", nil},
		{"a wrong flag", options{AuthorityHost: "https://login.example/tenant"}, "", []string{"--authority-host is", "it has a path"}},
		{"hosts of challenges", options{DisableChallengeResourceVerification: []string{"localhost:8443", ".my.cloud", "kv.internal=https://vault.my.cloud"}}, "", nil},
		{"as it was: on or off", options{DisableChallengeResourceVerification: []string{"true"}}, "", nil},
		{"a host with a scheme", options{DisableChallengeResourceVerification: []string{"https://localhost"}}, "",
			[]string{"--disable-challenge-resource-verification", `"https://localhost"`}},
		{"Azure's management", options{DisableChallengeResourceVerification: []string{"kv.internal=https://management.azure.com"}}, "",
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
	hosts, all := options{DisableChallengeResourceVerification: []string{"false", "localhost:8443"}}.challengeHosts()
	if all || len(hosts) != 1 || hosts[0] != "localhost:8443" {
		t.Errorf("got %v and all %t", hosts, all)
	}
	if hosts, all = (options{DisableChallengeResourceVerification: []string{"true"}}).challengeHosts(); !all || len(hosts) != 0 {
		t.Errorf("got %v and all %t, want all allowed hosts", hosts, all)
	}
}
