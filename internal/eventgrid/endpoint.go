package eventgrid

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/truncate"
)

// endpoint is where a namespace's topics are.
type endpoint struct{ host, port string }

// azureHost is the host of a namespace's topics: the namespace's name, and its region with a number
// (https://learn.microsoft.com/azure/event-grid/concepts-event-grid-namespaces#namespaces). MQTT brokers have another, with ".ts.".
var azureHost = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]\.[a-z0-9]+-[0-9]+\.eventgrid\.azure\.net$`)

const endpointForm = "must be https://<namespace>.<region>-1.eventgrid.azure.net, which 'az eventgrid namespace show --query topicsConfiguration.hostname' prints without https://"

// parseEndpoint reads an endpoint's URL. It has no path: that of a custom topic, /api/events, has no pull delivery.
func parseEndpoint(raw string) (endpoint, error) {
	parsed, err := url.Parse(raw)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.Opaque != "" || parsed.User != nil:
		return endpoint{}, fmt.Errorf("is %s, %s", shown(raw), endpointForm)
	case parsed.Scheme != "https":
		return endpoint{}, fmt.Errorf("is %s, %s: it does not begin with https://", shown(raw), endpointForm)
	case strings.HasSuffix(parsed.Path, "/api/events"):
		return endpoint{}, fmt.Errorf("is %s, which is a custom topic; only topics of a namespace have pull delivery, and their endpoint %s", shown(raw), endpointForm)
	case strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(raw, "#"):
		return endpoint{}, fmt.Errorf("is %s, %s: it has a path, a query or a fragment", shown(raw), endpointForm)
	}
	found := endpoint{host: strings.ToLower(parsed.Hostname()), port: parsed.Port()}
	if found.port == "443" {
		found.port = ""
	}
	return found, nil
}

// authority is the host, with the port unless it is 443.
func (e endpoint) authority() string {
	if e.port == "" {
		return e.host
	}
	return e.host + ":" + e.port
}

// allow returns an error unless the endpoint is in Azure's domain or its host is allowed: a token is sent nowhere else.
func (e endpoint) allow(hosts []string) error {
	if azureHost.MatchString(e.host) && e.port == "" {
		return nil
	}
	for _, allowed := range hosts {
		allowed = strings.ToLower(strings.TrimSpace(allowed))
		suffix := strings.HasPrefix(allowed, ".") && strings.HasSuffix(e.host, allowed)
		if suffix || allowed == e.host || allowed == e.authority() || allowed == e.host+":443" && e.port == "" {
			return nil
		}
	}
	what := "is https://" + truncate.Line(e.authority(), maxName)
	if strings.Contains(e.host, ".ts.eventgrid.") {
		return errors.New(what + ", which is the namespace's MQTT broker; use its host without .ts")
	}
	return errors.New(what + ", " + endpointForm + "; another host receives tokens only if it is allowed (--allowed-vault-hosts)")
}

const maxName = 100 // characters of a name in a message

// shown quotes a setting for a message. A password in a URL is left out.
func shown(text string) string {
	if parsed, err := url.Parse(text); err == nil && parsed.User != nil {
		parsed.User = url.User("xxxxx")
		text = parsed.String()
	}
	return strconv.Quote(truncate.Line(text, maxName))
}
