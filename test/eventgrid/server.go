package eventgrid

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// Resource is the resource of the tokens that the server accepts.
const Resource = "https://eventgrid.azure.net"

// Options configure a Server.
type Options struct {
	// Vaults is the test Key Vault whose tenant issues the tokens, and whose CA issues the server's certificate.
	Vaults *keyvault.Server
	// Topic and Subscription are their names; by default "vaults" and "vaultpane".
	Topic, Subscription string
	// LockDuration is how long a received event is locked; by default 60 s, as in Event Grid.
	LockDuration time.Duration
	// MaxDeliveryCount is how often an event is delivered before it is dropped; by default 10, as in Event Grid.
	MaxDeliveryCount int
	// Follow publishes the events of each new version in the vaults, as a system topic of each vault would.
	Follow bool
}

// Server is a namespace. Its methods may be called while it serves requests.
type Server struct {
	options  Options
	server   *http.Server
	endpoint string
	queue    *queue

	mu      sync.Mutex
	faults  faults
	stats   Stats
	deleted bool            // the subscription
	denied  map[string]bool // client IDs
}

// Start starts a server. The caller ends it with Close.
func Start(options Options) (*Server, error) {
	options.setDefaults()
	certificate, err := options.Vaults.TLSCertificate()
	if err != nil {
		return nil, err
	}
	socket, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	s := &Server{
		options: options, endpoint: fmt.Sprintf("https://localhost:%d", socket.Addr().(*net.TCPAddr).Port),
		queue: newQueue(options.LockDuration, options.MaxDeliveryCount), stats: newStats(), denied: map[string]bool{},
	}
	s.server = &http.Server{
		Handler: s, ReadHeaderTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	go func() { _ = s.server.ServeTLS(socket, "", "") }() // ends with Close
	if options.Follow {
		options.Vaults.OnNewVersion(func(made keyvault.NewVersion) { s.Publish(EventsOf(made)...) })
	}
	return s, nil
}

func (o *Options) setDefaults() {
	if o.Topic == "" {
		o.Topic = "vaults"
	}
	if o.Subscription == "" {
		o.Subscription = "vaultpane"
	}
	if o.LockDuration == 0 {
		o.LockDuration = time.Minute
	}
	if o.MaxDeliveryCount == 0 {
		o.MaxDeliveryCount = 10
	}
}

// ForTest starts a server that is closed at the end of the test. It fails the test if the server does not start.
func ForTest(t testing.TB, options Options) *Server {
	t.Helper()
	s, err := Start(options)
	if err != nil {
		t.Fatalf("starting Event Grid: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stopping Event Grid: %v", err)
		}
	})
	return s
}

// Close ends the listener and all connections.
func (s *Server) Close() error {
	if err := s.server.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Endpoint returns the namespace's URL, https://localhost:PORT.
func (s *Server) Endpoint() string { return s.endpoint }

// Topic returns the topic's name.
func (s *Server) Topic() string { return s.options.Topic }

// Subscription returns the event subscription's name.
func (s *Server) Subscription() string { return s.options.Subscription }
