package keyvault

import (
	"encoding/json"
	"fmt"
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

// tokenProblem returns what the token service said and what to do about it. The error_description begins with the AADSTS
// code and the reason (https://learn.microsoft.com/entra/identity-platform/reference-error-codes); it holds no secret.
func tokenProblem(answer *refusalError) string {
	body := entraErrorOf(answer.body)
	if body.Code == "" {
		return fmt.Sprintf("the token service answered HTTP %d; %s", answer.status, checkIdentity) + clockNote(answer.header, "token service")
	}
	description, _, _ := strings.Cut(body.Description, "Trace ID:")
	problem := fmt.Sprintf("the token service answered %s: %s; %s", oneLine(body.Code), gist(description), tokenAdvice(body))
	return problem + clockNote(answer.header, "token service") + requestNote(tokenRequest(answer))
}

// tokenRequest returns the id by which Microsoft finds a token request: Entra ID's trace id.
func tokenRequest(answer *refusalError) string {
	if body := entraErrorOf(answer.body); body.TraceID != "" {
		return body.TraceID
	}
	return answer.header.Get("x-ms-request-id")
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

func tokenAdvice(body entraError) string {
	for _, code := range body.Codes {
		if advice, ok := tokenAdvices[code]; ok {
			return advice
		}
		if strings.HasPrefix(strconv.Itoa(code), "70021") { // 70021, 700211 to 700213, and finer ones such as 7002138
			return "give the identity a federated credential with the issuer, subject and audience of the agent's service account token"
		}
	}
	return checkIdentity
}
