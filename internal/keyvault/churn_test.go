package keyvault

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// A server that closes each connection (GOAWAY in HTTP/2, Connection: close in HTTP/1.1) after one request.
func TestTheRateOfConnectionsToAServerThatClosesEachIsLimited(t *testing.T) {
	for name, protocols := range map[string][]string{"GOAWAY": {"h2", "http/1.1"}, "Connection: close": {"http/1.1"}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			behind, err := url.Parse(f.vault.URL())
			check(t, err)
			proxy := httputil.NewSingleHostReverseProxy(behind)
			proxy.Transport = f.wire.next
			var connections, second atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor == 2 {
					second.Add(1)
				}
				w.Header().Set("Connection", "close") // net/http turns it into a GOAWAY
				proxy.ServeHTTP(w, r)
			}))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			server.TLS = &tls.Config{NextProtos: protocols, MinVersion: tls.VersionTLS12}
			server.EnableHTTP2 = len(protocols) > 1
			server.StartTLS()
			t.Cleanup(server.Close)
			f.httpTransport().TLSClientConfig.RootCAs.AddCert(server.Certificate())

			start := time.Now()
			for i := range 15 {
				secret := urlOf(t, fmt.Sprintf("%s/secrets/word-%d", server.URL, i))
				_, err := f.clients.Get(t.Context(), secret, "", later())
				_ = f.wantFailure(t, err, secret, v1alpha1.ReasonSecretNotFound)
			}
			allowed := exchange.ConnectionBurst + int(time.Since(start)/exchange.ConnectionInterval) + 1
			if got := int(connections.Load()); got < 15 || got > allowed {
				t.Errorf("got %d connections in %s, want one for each request and at most %d", got, time.Since(start), allowed)
			}
			if (second.Load() > 0) != (len(protocols) > 1) {
				t.Errorf("got %d requests of HTTP/2", second.Load())
			}
			t.Logf("%d connections in %s", connections.Load(), time.Since(start))
		})
	}
}
