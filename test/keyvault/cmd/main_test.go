package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// startServing runs serve until the test ends.
func startServing(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "it's here")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, dir, []string{"shop", "ops-2"}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serving: %v", err)
		}
		if _, err := os.Stat(envFile(dir)); !os.IsNotExist(err) {
			t.Errorf("the settings' file still exists: %v", err)
		}
	})
	err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		_, err := os.Stat(envFile(dir))
		return err == nil, nil
	})
	if err != nil {
		t.Fatal("timed out waiting for the settings")
	}
	return dir
}

func TestServeWritesTheSettings(t *testing.T) {
	dir := startServing(t)
	text, err := os.ReadFile(envFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"export AZURE_AUTHORITY_HOST=https://127.0.0.1:", "export AZURE_TENANT_ID=", "export AZURE_CLIENT_ID=",
		"export AZURE_CLIENT_SECRET=", "export VAULTPANE_TEST_VAULT_SHOP=https://localhost:",
		"export VAULTPANE_TEST_VAULT_OPS_2=https://localhost:", `/it'\''s here/ca.pem'`,
		"export VAULTPANE_ALLOWED_VAULT_HOSTS=localhost\n",
		"export VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true\n",
		"export VAULTPANE_TEST_CONTROL=http://127.0.0.1:",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("got %s, want %q in it", text, want)
		}
	}
}

func TestActions(t *testing.T) {
	dir := startServing(t)
	for _, test := range []struct{ line, problem string }{
		{"put --vault shop --name web --keytype p256 --type pem --chain --dns a.example.com,b.example.com", ""},
		{"put --vault shop --name many --keytype P256 --count 3 --notafter 2020-01-02T15:04:05Z --notbefore 2019-01-02T15:04:05Z", ""},
		{"put --vault shop --name word --value open --contenttype text/plain", ""},
		{"rotate --vault shop --name web", ""},
		{"rotate --vault shop --name word", "it is not a certificate"},
		{"rotate --vault shop --name many-0002", ""},
		{"disable --vault shop --name web", ""},
		{"enable --vault shop --name web", ""},
		{"delete --vault shop --name word", ""},
		{"put --vault shop --name word --value open", "deleted but recoverable"},
		{"recover --vault shop --name word", ""},
		{"throttle --vault shop --count 2 --retryafter 10s", ""},
		{"throttle --vault shop --count many", "reading count"},
		{"heal --vault shop", ""},
		{"stop --vault ops-2", ""},
		{"start --vault ops-2", ""},
		{"stats --vault shop", ""},
		{"stats", ""},
		{"rotate --vault none --name web", "name one of shop, ops-2"},
		{"put --vault shop --name web --type der", "the types are pfx and pem"},
	} {
		t.Run(test.line, func(t *testing.T) {
			command, rest, _ := strings.Cut(test.line, " ")
			err := run(t.Context(), append([]string{command, "--dir", dir}, strings.Fields(rest)...))
			if test.problem == "" && err != nil {
				t.Error(err)
			}
			if test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
				t.Errorf("got %v, want %q", err, test.problem)
			}
		})
	}
}

func TestPutUnderstandsItsFlags(t *testing.T) {
	set := flag.NewFlagSet("put", flag.ContinueOnError)
	query := actions["put"].flags(set)
	if err := set.Parse(strings.Fields("--keytype RSA3072 --type pem --chain --rootfirst --legacy --dns a,b --notafter 2026-01-02T15:04:05Z")); err != nil {
		t.Fatal(err)
	}
	got, err := certificateOptions(query())
	if err != nil {
		t.Fatal(err)
	}
	if got.KeyType != keyvault.RSA3072 || got.ContentType != keyvault.PEM || !got.WithChain || !got.RootFirst || !got.LegacyPFX ||
		!slices.Equal(got.Names, []string{"a", "b"}) || !got.NotAfter.Equal(time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)) {
		t.Errorf("got %+v", got)
	}
}
