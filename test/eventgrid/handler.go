package eventgrid

import (
	"fmt"
	"net/http"
	"regexp"

	"github.com/vaultpane/vaultpane/test/internal/delay"
)

const apiVersion = "2024-06-01"

// Operations of the data plane, as in their URLs.
const (
	Receive     = "receive"
	Acknowledge = "acknowledge"
	Release     = "release"
	Reject      = "reject"
	RenewLock   = "renewLock"
	Publish     = "publish"
)

// path is the path of an operation's URL.
var path = regexp.MustCompile(`^/topics/([^/:]+)(?:/eventsubscriptions/([^/:]+):(receive|acknowledge|release|reject|renewLock)|:(publish))$`)

// request is a parsed request.
type request struct{ topic, subscription, operation string }

func parse(r *http.Request) (request, bool) {
	found := path.FindStringSubmatch(r.URL.Path)
	if found == nil {
		return request{}, false
	}
	return request{topic: found[1], subscription: found[2], operation: found[3] + found[4]}, true
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, known := parse(r)
	now := s.begin(asked.operation)
	if !delay.Request(r, now.delay) {
		return
	}
	result := s.refusal(r, asked, known)
	switch {
	case now.answer != nil:
		result = now.answer
	case result == nil:
		result = s.operate(r, asked)
	}
	if result == nil {
		return // the client has disconnected
	}
	s.count(asked.operation, result.status)
	if now.drop {
		panic(http.ErrAbortHandler) // makes net/http reset the connection or stream
	}
	result.send(w)
}

// refusal returns the response to a request that is refused before its operation; nil for none.
func (s *Server) refusal(r *http.Request, asked request, known bool) *answer {
	clientID, problem := s.options.Vaults.Caller(r, Resource)
	switch {
	case problem != "":
		return failure(http.StatusUnauthorized, "Unauthorized", "Error authenticating the token: "+problem).
			with("WWW-Authenticate", `Bearer realm="eventgrid.azure.net"`)
	case s.isDenied(clientID):
		// The text is of a report about a custom topic (https://github.com/Azure/azure-sdk-for-net/issues/22831); that a missing
		// role is 401 for a namespace too, of https://github.com/Azure/azure-sdk-for-net/issues/40812.
		return failure(http.StatusUnauthorized, "Unauthorized", "The principal associated with access token presented with the "+
			"incoming request does not have permission to receive data from /topics/"+asked.topic+".")
	case !known:
		return failure(http.StatusNotFound, "NotFound", "The requested resource was not found.")
	case r.Method != http.MethodPost:
		return failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "The method is not allowed.")
	case r.URL.Query().Get("api-version") != apiVersion:
		return failure(http.StatusBadRequest, "BadRequest", "The api-version is not supported.")
	case asked.topic != s.options.Topic:
		return failure(http.StatusGone, "Gone", fmt.Sprintf("The topic '%s' was not found.", asked.topic))
	case asked.operation != Publish && (asked.subscription != s.options.Subscription || s.isDeleted()):
		return failure(http.StatusNotFound, "NotFound", fmt.Sprintf("The event subscription '%s' was not found.", asked.subscription))
	}
	return nil
}

// operate carries out an operation. It returns nil if the client disconnected.
func (s *Server) operate(r *http.Request, asked request) *answer {
	switch asked.operation {
	case Receive:
		return s.receive(r)
	case Publish:
		return s.publish(r)
	default:
		return s.settle(r, asked.operation)
	}
}
