package keyvault

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// wiretap notes the tokens that are sent, and can hold requests back before they reach the network.
type wiretap struct {
	next http.RoundTripper

	mu    sync.Mutex
	sent  []string
	gate  chan struct{}
	after func(*http.Request) // called for each request that is held back
}

// RoundTrip implements http.RoundTripper.
func (w *wiretap) RoundTrip(request *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if _, token, ok := strings.Cut(request.Header.Get("Authorization"), "Bearer "); ok {
		w.sent = append(w.sent, token)
	}
	gate, after := w.gate, w.after
	w.mu.Unlock()
	if gate != nil {
		after(request)
		select {
		case <-gate:
		case <-request.Context().Done():
			return nil, context.Cause(request.Context())
		}
	}
	return w.next.RoundTrip(request)
}

// hold keeps all requests until release is called; each is sent to the channel first.
func (w *wiretap) hold() (held <-chan *http.Request, release func()) {
	gate, requests := make(chan struct{}), make(chan *http.Request, 64)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate, w.after = gate, func(request *http.Request) { requests <- request }
	return requests, sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.gate = nil
		close(gate)
	})
}

func (w *wiretap) tokens() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.sent...)
}

// frontend serves TLS on 127.0.0.1 with a certificate for example.com and 127.0.0.1, and returns its authority. The
// fixture's clients trust it from now on.
func (f *fixture) frontend(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust it are part of the tests
	server.StartTLS()
	t.Cleanup(server.Close)
	f.clients.transport.Client.Transport.(*wiretap).next.(*http.Transport).TLSClientConfig.RootCAs.AddCert(server.Certificate())
	return server
}
