package azure

import (
	"strings"
	"testing"
)

func TestCheckAzure(t *testing.T) {
	tests := []struct {
		name        string
		settings    Options
		environment string // AZURE_AUTHORITY_HOST
		says        []string
	}{
		{"nothing", Options{}, "", nil},
		{"an authority in the environment", Options{}, "https://login.microsoftonline.us/", nil},
		{"with a tenant", Options{}, "https://login.microsoftonline.us/my-tenant", []string{"AZURE_AUTHORITY_HOST is", "it has a path", "AZURE_TENANT_ID"}},
		{"over plain HTTP", Options{}, "http://login.example/", []string{"AZURE_AUTHORITY_HOST is", "https://"}},
		{"no URL", Options{}, "login.example", []string{"AZURE_AUTHORITY_HOST is", "https://"}},
		{"a password, which is not repeated", Options{}, "https://user:hunter2@login.example/", []string{"AZURE_AUTHORITY_HOST is", "https://xxxxx@login.example/"}},
		{"a query", Options{}, "https://login.example/?a=b", []string{"a query"}},
		{"the flag comes first", Options{AuthorityHost: "https://login.example/"}, "http://login.example/", nil},
		{"a wrong flag", Options{AuthorityHost: "https://login.example/tenant"}, "", []string{"--authority-host is", "it has a path"}},
		{"hosts of challenges", Options{DisableChallengeResourceVerification: []string{"localhost:8443", ".my.cloud", "kv.internal=https://vault.my.cloud"}}, "", nil},
		{"as it was: on or off", Options{DisableChallengeResourceVerification: []string{"true"}}, "", nil},
		{"a host with a scheme", Options{DisableChallengeResourceVerification: []string{"https://localhost"}}, "",
			[]string{"--disable-challenge-resource-verification", `"https://localhost"`}},
		{"Azure's management", Options{DisableChallengeResourceVerification: []string{"kv.internal=https://management.azure.com"}}, "",
			[]string{"--disable-challenge-resource-verification", "Microsoft's own"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AZURE_AUTHORITY_HOST", test.environment)
			err := test.settings.Check()
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
	hosts, all := (&Options{DisableChallengeResourceVerification: []string{"false", "localhost:8443"}}).challengeHosts()
	if all || len(hosts) != 1 || hosts[0] != "localhost:8443" {
		t.Errorf("got %v and all %t", hosts, all)
	}
	if hosts, all = (&Options{DisableChallengeResourceVerification: []string{"true"}}).challengeHosts(); !all || len(hosts) != 0 {
		t.Errorf("got %v and all %t, want all allowed hosts", hosts, all)
	}
}
