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

// wiretap records the tokens that are sent, and can hold requests before they reach the network.
type wiretap struct {
	next http.RoundTripper

	mu    sync.Mutex
	sent  []string
	held  chan struct{}
	after func(*http.Request) // called for each held request
}

// RoundTrip implements http.RoundTripper.
func (w *wiretap) RoundTrip(request *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if _, token, ok := strings.Cut(request.Header.Get("Authorization"), "Bearer "); ok {
		w.sent = append(w.sent, token)
	}
	released, after := w.held, w.after
	w.mu.Unlock()
	if released != nil {
		after(request)
		select {
		case <-released:
		case <-request.Context().Done():
			return nil, context.Cause(request.Context())
		}
	}
	return w.next.RoundTrip(request)
}

// hold keeps all requests until release is called; each is sent to the channel first.
func (w *wiretap) hold() (held <-chan *http.Request, release func()) {
	released, requests := make(chan struct{}), make(chan *http.Request, 64)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held, w.after = released, func(request *http.Request) { requests <- request }
	return requests, sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.held = nil
		close(released)
	})
}

func (w *wiretap) tokens() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.sent...)
}

// frontend starts a TLS server on 127.0.0.1 with a certificate for example.com and 127.0.0.1, and makes the fixture's clients
// trust it.
func (f *fixture) frontend(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust it are part of the tests
	server.StartTLS()
	t.Cleanup(server.Close)
	f.clients.transport.Client.Transport.(*wiretap).next.(*http.Transport).TLSClientConfig.RootCAs.AddCert(server.Certificate())
	return server
}
