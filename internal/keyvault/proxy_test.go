package keyvault

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// through makes the fixture's clients use a web proxy.
func (f *fixture) through(t *testing.T, address string) {
	t.Helper()
	proxy := http.ProxyURL(&url.URL{Scheme: "http", Host: address, User: url.UserPassword("someone", "hunter2")})
	f.httpTransport().Proxy, f.clients.transport.Proxy = proxy, proxy
}

func TestARefusalOfAProxyNamesTheProxyItsResponseAndTheBypass(t *testing.T) {
	tests := []struct {
		name, noProxy string
		status        int
		says          []string
	}{
		{"a host that it does not let through", "", http.StatusForbidden, []string{"answered HTTP 403 Forbidden to CONNECT", "allow the proxy to connect to localhost:", "add localhost to NO_PROXY"}},
		{"no user name", "", http.StatusProxyAuthRequired, []string{"answered HTTP 407 Proxy Authentication Required", "user name and password", "HTTPS_PROXY"}},
		{"a host that it does not find", "", http.StatusBadGateway, []string{"answered HTTP 502 Bad Gateway"}},
		{"NO_PROXY as Windows writes it", "10.0.0.1;localhost", http.StatusForbidden, []string{"separate the entries of NO_PROXY with commas: its present value has semicolons"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			t.Setenv("NO_PROXY", test.noProxy)
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Proxy-Authenticate", "Basic")
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, "<html>No</html>") // the client may have disconnected
			}))
			t.Cleanup(proxy.Close)
			address := proxy.Listener.Addr().String()
			f.through(t, address)
			_, err := f.read(t, f.vault, "word")
			failure := f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonVaultUnreachable, append(test.says, "the web proxy "+address+" answered")...)
			if strings.Contains(failure.Message, "hunter2") || strings.Contains(failure.Message, "someone") {
				t.Errorf("got %q, which holds the proxy's password", failure.Message)
			}
			if got := strings.Contains(failure.Message, "semicolons"); got != strings.Contains(test.noProxy, ";") {
				t.Errorf("got %q", failure.Message)
			}
		})
	}
}

func TestAProxyThatDoesNotRespondIsNamed(t *testing.T) {
	f := newFixture(t)
	t.Setenv("NO_PROXY", "")
	address := closedAddress(t)
	f.through(t, address)
	_, err := f.read(t, f.vault, "word")
	_ = f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonVaultUnreachable,
		"no connection to the web proxy "+address+": ", "; check HTTPS_PROXY", "add localhost to NO_PROXY")
}

func TestRequestsGoThroughAProxy(t *testing.T) {
	f := newFixture(t)
	connected := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connected++
		there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go pipe(there, here)
		pipe(here, there)
	}))
	t.Cleanup(proxy.Close)
	f.through(t, proxy.Listener.Addr().String())
	_ = f.mustRead(t)
	if connected != 2 {
		t.Errorf("the proxy made %d connections, want one to the vault and one to the token service", connected)
	}
}

// pipe copies until one side ends.
func pipe(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	_, _ = io.Copy(to, from) // ends with the connections
}
