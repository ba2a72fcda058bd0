package keyvault

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// endlessList answers each request with one page, and counts them.
type endlessList struct {
	page  string
	count int
}

func (e *endlessList) Do(request *http.Request) (*http.Response, error) {
	e.count++
	return &http.Response{StatusCode: http.StatusOK, Request: request, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(e.page))}, nil
}

// A list without an end is a failure, so that the nodes poll: the newest version may be on a page that was not read.
func TestAListWithoutAnEndIsAFailure(t *testing.T) {
	secret := SecretURL{Host: "shop.vault.azure.net", Name: "word"}
	next := `"nextLink":"https://shop.vault.azure.net/secrets/word/versions?api-version=7.6"}`
	version := `{"id":"https://shop.vault.azure.net/secrets/word/a","attributes":{"enabled":true}},`
	for name, test := range map[string]struct {
		page  string
		pages int
	}{
		"empty pages": {`{"value":[],` + next, maxPages},
		"long pages":  {`{"value":[` + strings.TrimSuffix(strings.Repeat(version, 1000), ",") + `],` + next, maxVersions / 1000},
	} {
		t.Run(name, func(t *testing.T) {
			server := &endlessList{page: test.page}
			client, err := azsecrets.NewClient("https://shop.vault.azure.net", nil, &azsecrets.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: server}})
			if err != nil {
				t.Fatal(err)
			}
			all, err := allVersions(secret)(t.Context(), client)
			if err != nil {
				t.Fatal(err)
			}
			_, err = all.versions(request{secret: secret, list: true})
			var failure *Failure
			if !errors.As(err, &failure) || failure.Reason != v1alpha1.ReasonMalformedSecret || len(failure.Message) > 1024 {
				t.Errorf("got %v", err)
			}
			if server.count != test.pages {
				t.Errorf("it was asked %d times, want %d", server.count, test.pages)
			}
		})
	}
}

// A status with a year of five digits is rejected as a whole, so the certificate would have no status any more.
func TestATimeThatNoStatusCanHaveIsIgnored(t *testing.T) {
	for _, seconds := range []int64{1e15, -1e15} {
		created := time.Unix(seconds, 0)
		id := azsecrets.ID("https://shop.vault.azure.net/secrets/word/a")
		if got := versionOf(&azsecrets.SecretProperties{ID: &id, Attributes: &azsecrets.SecretAttributes{Created: &created}}); !got.Created.IsZero() {
			t.Errorf("got %s", got.Created)
		}
	}
}
