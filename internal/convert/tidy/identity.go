package tidy

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

var (
	guid       = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	resourceID = regexp.MustCompile(`(?i)^/subscriptions/.*/userAssignedIdentities/[^/]+$|^/providers/Microsoft\.ManagedIdentity/|^/(subscriptions|resourceGroups)/`)
	harmless   = regexp.MustCompile(`^[0-9A-Za-z/._()-]{1,300}$`)
	endpoint   = regexp.MustCompile(`^http:/+(169[.]254[.]169[.]254|localhost:40342)(/metadata/identity(/oauth2/token)?)?/?$`)
)

const zeros = "00000000-0000-0000-0000-000000000000"

// identity finds the client id: beside secretsManagementSettings, where it belongs, or one level off.
func (r *reading) identity(root, inner find.Value) {
	var found []find.Value
	for _, level := range []find.Value{root, inner} {
		for _, key := range []string{authentication, "authenticationLocationSettings"} {
			at := r.member(level, key)
			if at.Node.Absent() || len(found) > 0 && found[0].Node == at.Node {
				continue
			}
			if level.Node == inner.Node && root.Node != inner.Node {
				r.Findings.Note(at.Place, "authenticationSettings belongs beside %s and not within; it is used", secrets)
			}
			found = append(found, at)
		}
	}
	if outer := r.site.Outer; outer.Node != nil && len(found) == 0 {
		r.Findings.Note(outer.Place, "authenticationSettings is beside the settings, where the extension does not look; it is used")
		found = append(found, outer)
	}
	for _, at := range found {
		client := r.clientID(at)
		switch {
		case client == nil:
		case r.client == nil:
			r.client = client
		case !strings.EqualFold(r.client.Text, client.Text):
			r.Findings.Hand(at.Place, "has another msiClientId, %s, than line %d, %s; neither is used", client.Text, r.client.Line, r.client.Text)
			r.client = nil
			return
		}
	}
}

// identityKeys are the settings of an identity.
var identityKeys = []string{"msiEndpoint", "msiClientId", "msiObjectId"}

// clientID reads msiClientId. One that cannot be used is left out, and said.
func (r *reading) clientID(v find.Value) *document.Member {
	if v = r.asMap(v); v.Node == nil {
		return nil
	}
	for _, m := range v.Node.Members {
		at := find.Value{Place: v.At(m.Key, m.Line), Node: m.Node}
		switch key := strings.ToLower(m.Key); {
		case m.Absent() || key == "msiclientid":
		case key == "msiendpoint":
			if !endpoint.MatchString(strings.TrimSpace(m.Text)) {
				r.Findings.Note(at.Place, "is %s; Vaultpane finds the endpoint itself, so it is left out", finding.Shown(m.Node))
			}
		case key == "msiobjectid":
			r.Findings.Hand(at.Place, "is %s, an object id (msiObjectId), which only the extension can use; it is left out: %s", finding.Shown(m.Node), r.clientOfObject(m.Text))
		case key == "clientid" || key == "clientcertificatesubjectname":
			r.Findings.Hand(at.Place, "signs in with a certificate, which Vaultpane does not; it is left out: give the agents an Azure identity")
		default:
			r.Findings.Hand(at.Place, "is not a setting of the identity%s", nearest.Advice(m.Key, identityKeys))
		}
	}
	at := r.member(v, "msiClientId")
	if at.Node.Absent() {
		return nil
	}
	text, why := r.clientOf(at.Node)
	if why != "" {
		r.Findings.Hand(at.Place, "msiClientId %s. It is left out, so the agents' own identity is used", why)
		return nil
	}
	if given := strings.TrimSpace(at.Node.Text); given != text {
		r.Findings.Note(at.Place, "is %s; the client id of this identity, %s, is taken from the same input", finding.Shown(at.Node), text)
	}
	return &document.Member{Key: "msiClientId", Line: at.Line, Node: document.NewString(text, at.Line)}
}

// clientOf returns the client id that a value is or stands for, or why it is none.
func (r *reading) clientOf(n *document.Node) (client, why string) {
	if why := r.unknown(n); why != "" {
		if n.Kind == document.Unresolved {
			why = "is not known: " + why
		}
		return "", why + ". 'az identity show --resource-group GROUP --name NAME --query clientId' prints the client id"
	}
	text := strings.TrimSpace(n.Text)
	switch {
	case guid.MatchString(text) && r.Clients[strings.ToLower(text)] != "":
		return "", fmt.Sprintf("is %s, the object id of an identity and no client id: %s", finding.Shown(n), r.clientOfObject(text))
	case n.Kind == document.String && r.Clients[strings.ToLower(text)] != "":
		return r.Clients[strings.ToLower(text)], ""
	case n.Kind == document.String && guid.MatchString(text) && text != zeros:
		return text, ""
	case n.Kind == document.String && resourceID.MatchString(text):
		return "", fmt.Sprintf("is %s, the id of a resource and no client id: 'az identity show --ids %s --query clientId' prints the client id", finding.Shown(n), plainID(text))
	case text == zeros:
		return "", "is a GUID of zeros, a placeholder"
	}
	return "", fmt.Sprintf("is %s, must be a client id, a GUID: 'az identity show --resource-group GROUP --name NAME --query clientId' prints it", finding.Shown(n))
}

// clientOfObject says what the client id of an object id is, or how to find it.
func (r *reading) clientOfObject(id string) string {
	if client := r.Clients[strings.ToLower(strings.TrimSpace(id))]; client != "" {
		return "the client id of this identity is " + client
	}
	return "'az ad sp show --id " + plainID(id) + " --query appId' prints the client id"
}

// plainID is an id for a command that a person copies: nothing but letters, digits and the marks of ids.
func plainID(text string) string {
	if harmless.MatchString(text) {
		return text
	}
	return "ID"
}
