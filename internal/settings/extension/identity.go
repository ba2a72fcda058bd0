package extension

import (
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// endpoint are the addresses of the instance metadata service and of Azure Arc's agent. The agent finds them itself.
var endpoint = regexp.MustCompile(`^http://(169[.]254[.]169[.]254|localhost:40342)/metadata/identity(/oauth2/token)?/?$`)

// identity returns the place of msiClientId, without a Node if the machine's own identity is meant.
func (r *reader) identity(settings []Source) Source {
	var chosen Source
	for _, at := range settings {
		client := r.clientID(at)
		switch {
		case client.Node == nil:
		case chosen.Node == nil:
			chosen = client
		case !strings.EqualFold(strings.TrimSpace(chosen.Node.Text), strings.TrimSpace(client.Node.Text)):
			r.problem(client, client.Node.Shown(), "another identity, %s, is at %s in line %d; remove one of the two", chosen.Node.Shown(), chosen.Field, chosen.Line)
		}
	}
	return chosen
}

func (r *reader) clientID(at Source) Source {
	node := r.asMap(at, "a map with msiEndpoint and msiClientId")
	if node == nil {
		return Source{}
	}
	for _, key := range []string{"clientId", "clientCertificateSubjectName"} {
		if value := member(node, at.Field, key); value.Node != nil {
			r.problem(value, "", "is a setting of the extension for Cloud Services: signing in with a certificate of the machine's store is not supported; use an Azure identity (msiClientId, or the agent's --credential)")
			return Source{}
		}
	}
	if object := member(node, at.Field, "msiObjectId"); !object.Node.Absent() {
		r.problem(object, object.Node.Shown(), "is an object id, which only the extension can use; use msiClientId instead: 'az identity show --query clientId' prints it")
	}
	r.known(node, at.Field, "a setting of the identity", []string{"msiEndpoint", "msiClientId", "msiObjectId"})
	if address := member(node, at.Field, "msiEndpoint"); !address.Node.Absent() && (address.Node.Kind != document.String || !endpoint.MatchString(strings.TrimSpace(address.Node.Text))) {
		r.problem(address, address.Node.Shown(), "must be http://169.254.169.254/metadata/identity/oauth2/token, http://localhost:40342/metadata/identity (Azure Arc) or left out")
	}
	client := member(node, at.Field, "msiClientId")
	if client.Node.Absent() {
		return Source{}
	}
	if client.Node.Kind != document.String {
		r.problem(client, client.Node.Shown(), "must be a client id, a GUID: 'az identity show --query clientId' prints it")
		return Source{}
	}
	return client
}
