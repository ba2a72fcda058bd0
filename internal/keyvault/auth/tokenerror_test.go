package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

func TestACodeInTheDescriptionThatIsNotInTheListIsReported(t *testing.T) {
	tests := []struct {
		name, description, codes string
		says                     string // the message after the beginning
		advice                   string
	}{
		{"the same", "AADSTS7000215: Invalid client secret provided.", "[7000215]", "invalid_client: AADSTS7000215: Invalid client secret provided; ", "AZURE_CLIENT_SECRET to the value"},
		{"one of several", "AADSTS7000222: The keys are expired.", "[50034, 7000222]", "invalid_client: AADSTS7000222: The keys are expired; ", "create a new secret"},
		{"another", "AADSTS7000222: The keys are expired.", "[700016]", "invalid_client (error code 700016): AADSTS7000222: The keys are expired; ", "create a new secret"},
		{"another, which is unknown", "AADSTS9999999: Something new.", "[700016]", "invalid_client (error code 700016): AADSTS9999999: Something new; ", "check the client id, and that"},
		{"none in the list", "AADSTS700016: Application not found.", "[]", "invalid_client: AADSTS700016: Application not found; ", "check the client id, and that"},
		{"none in the text", "The client is unknown.", "[700016]", "invalid_client (error code 700016): The client is unknown; ", "check the client id, and that"},
		{"none at all", "The client is unknown.", "[]", "invalid_client: The client is unknown; ", checkIdentity},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"error":"invalid_client","error_description":%q,"error_codes":%s}`, test.description, test.codes)
			got, _ := ExplainRefusal(&exchange.RefusalError{TokenService: true, Status: http.StatusUnauthorized, Body: []byte(body)})
			if want := "the token service answered " + test.says; !strings.HasPrefix(got, want) || !strings.Contains(got, test.advice) {
				t.Errorf("got %q, want %q and %q", got, want, test.advice)
			}
		})
	}
}

func TestExplainError(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"one credential", "WorkloadIdentityCredential: no file.\nraw message was: <html>", "WorkloadIdentityCredential: no file"},
		{"a chain, without what its members quote", "DefaultAzureCredential: failed.\nAttempted credentials:\n\tA: json.\n\t\traw: <html>\n\tB: no id.",
			"A: json; B: no id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ExplainError(errors.New(test.text)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
