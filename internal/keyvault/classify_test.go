package keyvault

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// The request ID is in no message, so that retries do not change the status; it is in the log.
func TestTheRequestIDIsLogged(t *testing.T) {
	f := newFixture(t)
	var lines []string
	log := funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{Verbosity: 1})
	_, err := f.clients.Get(logr.NewContext(t.Context(), log), urlOf(t, f.vault.SecretURL("missing")), "", later())
	failure := f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("missing")), v1alpha1.ReasonSecretNotFound)
	if len(lines) != 1 || !strings.Contains(lines[0], failure.RequestID) || !strings.Contains(lines[0], `"secret"="missing"`) {
		t.Errorf("got %q, want one line with %q", lines, failure.RequestID)
	}
}

func TestARefusalOfTheVaultsCloudHasItsReason(t *testing.T) {
	setEnvironment(t, nil)
	const body = `{"error":"invalid_resource","error_description":"AADSTS500011: The resource principal named https://vault.azure.cn was not found","error_codes":[500011]}`
	secret := urlOf(t, "https://shop.vault.azure.cn/secrets/word")
	f := &fixture{wire: &wiretap{}}
	err := classify(request{secret: secret, clientID: someone}, &exchange.RefusalError{TokenService: true, Status: http.StatusBadRequest, Body: []byte(body)})
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "AADSTS500011", "different clouds")
}
