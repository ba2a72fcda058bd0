package auth

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// TokenError is the body of a token service's refusal (RFC 6749, section 5.2), with the fields that Entra ID adds.
type TokenError struct {
	// Code is the OAuth error code, empty for a body that is no OAuth error.
	Code        string `json:"error"`
	Description string `json:"error_description"`
	// Codes are the numbers of AADSTS codes.
	Codes []int `json:"error_codes"`
	// TraceID is the ID by which Azure's support finds the request.
	TraceID string `json:"trace_id"`
}

// ParseTokenError reads the body of a refusal. A body of another kind gives an error without code.
func ParseTokenError(body []byte) TokenError {
	var read TokenError
	_ = json.Unmarshal(body, &read)
	return read
}

// ExplainRefusal returns what the token service answered and what to do about it, and in detail what differs from attempt to
// attempt. The error_description begins with the AADSTS code and the cause
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes); it holds no secret.
func ExplainRefusal(refusal *exchange.RefusalError) (text, detail string) {
	note, detail := exchange.ClockNote(refusal.Header, "token service")
	body := ParseTokenError(refusal.Body)
	if body.Code == "" {
		return fmt.Sprintf("the token service answered HTTP %d at %s, which is not an OAuth response; check AZURE_AUTHORITY_HOST, then the client id, the tenant and the credential",
			refusal.Status, refusal.URL) + note, detail
	}
	description, _, _ := strings.Cut(body.Description, "Trace ID:")
	code := exchange.OneLine(body.Code)
	if codes := body.otherCodes(); codes != "" {
		code += " (error code " + codes + ")"
	}
	return fmt.Sprintf("the token service answered %s: %s; %s", code, exchange.Gist(description), body.advice()) + note, detail
}

// aadsts is the code with which a description begins.
var aadsts = regexp.MustCompile(`^\s*AADSTS(\d{4,8})\b`)

// describedCode returns the code in the description, 0 if it has none.
func (e TokenError) describedCode() int {
	found := aadsts.FindStringSubmatch(e.Description)
	if found == nil {
		return 0
	}
	code, _ := strconv.Atoi(found[1]) // at most eight digits
	return code
}

// otherCodes returns the codes of a refusal if the one in its description is not among them.
func (e TokenError) otherCodes() string {
	if len(e.Codes) == 0 || slices.Contains(e.Codes, e.describedCode()) {
		return ""
	}
	codes := make([]string, 0, len(e.Codes))
	for _, code := range e.Codes[:min(len(e.Codes), 4)] {
		codes = append(codes, strconv.Itoa(code))
	}
	return strings.Join(codes, ", ")
}

const checkIdentity = "check the client id, the tenant and the credential"

// adviceByCode is what to do about an AADSTS code.
var adviceByCode = map[int]string{
	50020:   "use an identity of the vault's tenant (with the Azure CLI: az login --tenant)",
	53003:   "allow the identity in the Conditional Access policy",
	90002:   "check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST for the cloud",
	500011:  "the vault and the token service belong to different clouds: check AZURE_AUTHORITY_HOST and the vault's domain",
	700016:  "check the client id, and that the identity belongs to the vault's tenant",
	700024:  "the federated token has expired: check that kubelet renews the file that AZURE_FEDERATED_TOKEN_FILE names, and check the clocks",
	700027:  "add the certificate that AZURE_CLIENT_CERTIFICATE_PATH names to the application",
	7000112: "enable the application, or use another identity",
	7000215: "set AZURE_CLIENT_SECRET to the value of one of the application's secrets, not to a secret's id",
	7000222: "create a new secret for the application and set AZURE_CLIENT_SECRET to it",
}

// advice goes by the code in the description, which is the one that people see, and else by the other codes.
func (e TokenError) advice() string {
	for _, code := range append([]int{e.describedCode()}, e.Codes...) {
		if advice, ok := adviceByCode[code]; ok {
			return advice
		}
		if strings.HasPrefix(strconv.Itoa(code), "70021") { // 70021, 700211 to 700213, and finer ones such as 7002138
			return "give the identity a federated credential with the issuer, subject and audience of the agent's service account token"
		}
	}
	return checkIdentity
}

// sdkAdvice replaces the SDK's advice, which names options of its API, by the agent's settings.
var sdkAdvice = strings.NewReplacer(
	`To enable acquiring tokens for this tenant add it to the AdditionallyAllowedTenants on the credential options, or add "*" to allow acquiring tokens for any tenant`,
	"Set AZURE_TENANT_ID to the vault's tenant, or add that tenant to AZURE_ADDITIONALLY_ALLOWED_TENANTS",
)

// ExplainError returns what a credential reports about its failure. The text of a chain has a line for each credential that was
// tried, which begins with one tab. Lines with more than one can hold a whole response and are left out.
func ExplainError(err error) string {
	lines := strings.Split(sdkAdvice.Replace(err.Error()), "\n")
	var tried []string
	for _, line := range lines {
		if strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "\t\t") {
			tried = append(tried, exchange.Gist(line))
		}
	}
	if len(tried) == 0 {
		return exchange.Gist(lines[0])
	}
	return exchange.OneLine(strings.Join(tried, "; "))
}
