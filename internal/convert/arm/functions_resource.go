package arm

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

var resourceFunctions = map[string]function{
	"environment":               {arity{0, 0}, false, func([]*document.Node) *document.Node { return environment }},
	"resourceid":                {arity{2, 0}, true, callResourceID},
	"subscriptionresourceid":    {arity{2, 0}, true, callResourceID},
	"tenantresourceid":          {arity{2, 0}, true, callResourceID},
	"extensionresourceid":       {arity{3, 0}, true, callScopedResourceID},
	"managementgroupresourceid": {arity{2, 0}, true, callResourceID},
	"subscription":              {arity{0, 0}, false, ofAzure("the subscription")},
	"resourcegroup":             {arity{0, 0}, false, ofAzure("the resource group")},
	"deployment":                {arity{0, 0}, false, ofAzure("the deployment")},
	"tenant":                    {arity{0, 0}, false, ofAzure("the tenant")},
	"managementgroup":           {arity{0, 0}, false, ofAzure("the management group")},
	"uniquestring":              {arity{1, 0}, true, ofAzure("what uniqueString() returns")},
	"guid":                      {arity{1, 0}, true, ofAzure("what guid() returns")},
	"newguid":                   {arity{0, 0}, false, ofAzure("what newGuid() returns")},
	"utcnow":                    {arity{0, 1}, false, ofAzure("the time of the deployment")},
}

func ofAzure(what string) func([]*document.Node) *document.Node {
	return func([]*document.Node) *document.Node { return unresolved("%s is known to Azure alone", what) }
}

// environment is Azure's public cloud. The suffix of vaults begins with a full stop.
var environment = object([]document.Member{
	member("name", text("AzureCloud")),
	member("resourceManager", text("https://management.azure.com/")),
	member("authentication", object([]document.Member{
		member("loginEndpoint", text("https://login.microsoftonline.com/")),
		member("audiences", list([]*document.Node{text("https://management.core.windows.net/"), text("https://management.azure.com/")})),
		member("tenant", text("common")),
	})),
	member("suffixes", object([]document.Member{
		member("keyvaultDns", text(".vault.azure.net")),
		member("storage", text("core.windows.net")),
		member("sqlServerHostname", text(".database.windows.net")),
	})),
})

// callScopedResourceID makes the id of a resource of another one, or in another resource group, whose id may be known to Azure alone.
func callScopedResourceID(a []*document.Node) *document.Node {
	id := callResourceID(a[1:])
	if isUnresolved(id) || isUnresolved(a[0]) {
		return id
	}
	return text(strings.TrimRight(a[0].Text, "/") + id.Text)
}

// callResourceID makes the id of a resource, with the subscription and resource group only where they are given: they are known to
// Azure alone, and no setting uses them.
func callResourceID(a []*document.Node) *document.Node {
	at := -1
	for i, argument := range a {
		if !isUnresolved(argument) && strings.Contains(argument.Text, ".") && strings.Contains(argument.Text, "/") {
			at = i
			break
		}
	}
	if at < 0 {
		return unresolved("a resource id has no type")
	}
	for _, name := range a[at+1:] {
		if isUnresolved(name) {
			return name
		}
	}
	id := ""
	for i, part := range []string{"/resourceGroups/", "/subscriptions/"} {
		if i < at && !isUnresolved(a[at-1-i]) {
			id = part + a[at-1-i].Text + id
		}
	}
	words := strings.Split(a[at].Text, "/")
	id += "/providers/" + words[0]
	for i, kind := range words[1:] {
		if id += "/" + kind; at+1+i < len(a) {
			id += "/" + a[at+1+i].Text
		}
	}
	return text(id)
}
