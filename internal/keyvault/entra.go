package keyvault

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// entraError is a token service's refusal (RFC 6749, section 5.2), with what Entra ID adds to it.
type entraError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	TraceID     string `json:"trace_id"`
}

// entraErrorOf reads an answer's body. One of another kind gives an error without code.
func entraErrorOf(body []byte) entraError {
	var read entraError
	_ = json.Unmarshal(body, &read)
	return read
}

// tokenProblem returns what the token service said and what to do about it, and what of it differs from attempt to attempt. The
// error_description begins with the AADSTS code and the reason
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes); it holds no secret.
func tokenProblem(answer *refusalError) (problem, detail string) {
	note, detail := clockNote(answer.header, "token service")
	body := entraErrorOf(answer.body)
	if body.Code == "" {
		return fmt.Sprintf("the token service answered HTTP %d at %s, and not as OAuth does; check AZURE_AUTHORITY_HOST, then the client id, the tenant and the credential",
			answer.status, answer.url) + note, detail
	}
	description, _, _ := strings.Cut(body.Description, "Trace ID:")
	said := oneLine(body.Code)
	if codes := body.otherCodes(); codes != "" {
		said += " (error code " + codes + ")"
	}
	return fmt.Sprintf("the token service answered %s: %s; %s", said, gist(description), tokenAdvice(body)) + note, detail
}

// aadsts is the code with which a description begins.
var aadsts = regexp.MustCompile(`^\s*AADSTS(\d{4,8})\b`)

// said is the code in the description, 0 where it has none.
func (e entraError) said() int {
	found := aadsts.FindStringSubmatch(e.Description)
	if found == nil {
		return 0
	}
	code, _ := strconv.Atoi(found[1]) // digits, and few
	return code
}

// otherCodes returns the codes of a refusal whose description begins with another one.
func (e entraError) otherCodes() string {
	if len(e.Codes) == 0 || slices.Contains(e.Codes, e.said()) {
		return ""
	}
	codes := make([]string, 0, len(e.Codes))
	for _, code := range e.Codes[:min(len(e.Codes), 4)] {
		codes = append(codes, strconv.Itoa(code))
	}
	return strings.Join(codes, ", ")
}

const checkIdentity = "check the client id, the tenant and the credential"

// tokenAdvices say what to do about an AADSTS code.
var tokenAdvices = map[int]string{
	50020:   "use an identity of the vault's tenant (with the Azure CLI: az login --tenant)",
	53003:   "let the identity through the Conditional Access policy",
	90002:   "check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST for the cloud",
	500011:  "vault and token service are of different clouds: check AZURE_AUTHORITY_HOST and the vault's domain",
	700016:  "check the client id, and that the identity is of the vault's tenant",
	700024:  "the federated token is out of date: check that kubelet renews the file that AZURE_FEDERATED_TOKEN_FILE names, and the clocks",
	700027:  "give the application the certificate that AZURE_CLIENT_CERTIFICATE_PATH names",
	7000112: "enable the application, or use another identity",
	7000215: "set AZURE_CLIENT_SECRET to the value of one of the application's secrets, not to a secret's id",
	7000222: "make a new secret for the application and set AZURE_CLIENT_SECRET to it",
}

// tokenAdvice goes by the code in the description, which is the one that people see, and else by the codes beside it.
func tokenAdvice(body entraError) string {
	for _, code := range append([]int{body.said()}, body.Codes...) {
		if advice, ok := tokenAdvices[code]; ok {
			return advice
		}
		if strings.HasPrefix(strconv.Itoa(code), "70021") { // 70021, 700211 to 700213, and finer ones such as 7002138
			return "give the identity a federated credential with the issuer, subject and audience of the agent's service account token"
		}
	}
	return checkIdentity
}
