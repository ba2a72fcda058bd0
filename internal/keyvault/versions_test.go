package keyvault

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// A page has 25 versions, in the order of their random ids.
func TestAllPagesOfVersionsAreListed(t *testing.T) {
	f := newFixture(t)
	for i := range 60 {
		f.vault.PutRaw("word", "text/plain", fmt.Sprint(secretValue, i))
	}
	ids := f.vault.Versions("word")
	last := ids[len(ids)-1]
	if err := f.vault.Disable("word", last); err != nil {
		t.Fatal(err)
	}
	from, to := time.Now().Add(-time.Hour).Truncate(time.Second), time.Now().Add(time.Hour).Truncate(time.Second)
	if err := f.vault.SetValidity("word", ids[0], from, to); err != nil {
		t.Fatal(err)
	}
	f.vault.DenyReads() // the permission to list is enough
	versions, err := f.clients.Versions(t.Context(), urlOf(t, f.vault.SecretURL("word")+"/"+ids[3]))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(versions, func(a, b Version) int { return a.Created.Compare(b.Created) })
	var got []string
	for _, version := range versions {
		got = append(got, version.ID)
		if version.Enabled != (version.ID != last) {
			t.Errorf("version %s is enabled: %t", version.ID, version.Enabled)
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("got %d versions, want %d in the order of their creation", len(got), len(ids))
	}
	if first := versions[0]; !first.NotBefore.Equal(from) || !first.Expires.Equal(to) {
		t.Errorf("got validity %s to %s, want %s to %s", first.NotBefore, first.Expires, from, to)
	}
	if stats := f.vault.Stats(); stats.Lists != 3 || stats.Requests != 3 || stats.Unauthorized != 1 {
		t.Errorf("got %d pages, %d requests and %d challenges, want 3, 3 and 1", stats.Lists, stats.Requests, stats.Unauthorized)
	}
}

func TestARefusedListSaysWhichRightIsMissing(t *testing.T) {
	f := newFixture(t)
	f.vault.DenyLists()
	secret := urlOf(t, f.vault.SecretURL("word"))
	_, err := f.clients.Versions(t.Context(), secret)
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAccessDenied, "listing the versions of secret", `grant "Key Vault Reader"`)
	f.mustRead(t) // which needs another right
}

func TestVersionsOfASecretThatDoesNotExist(t *testing.T) {
	f := newFixture(t)
	secret := urlOf(t, f.vault.SecretURL("none"))
	_, err := f.clients.Versions(t.Context(), secret)
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonSecretNotFound, "the controller's identity")
}

func TestAListStaysOnItsVault(t *testing.T) {
	secret := SecretURL{Host: "shop.vault.azure.net", Name: "word"}
	for next, want := range map[string]bool{
		"": true,
		"https://shop.vault.azure.net:443/secrets/word/versions?$skiptoken=x": true,
		"https://SHOP.vault.azure.net/secrets/word/versions?$skiptoken=x":     true,
		"https://shop.vault.azure.net:8443/secrets/word/versions":             false,
		"https://shop.vault.azure.net.example/secrets/word/versions":          false,
		"http://shop.vault.azure.net/secrets/word/versions":                   false,
		"://": false,
	} {
		if got := sameHost(&next, secret); got != want {
			t.Errorf("%q: got %t, want %t", next, got, want)
		}
	}
}
