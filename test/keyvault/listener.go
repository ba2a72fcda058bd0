package keyvault

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/ports"
)

// listener serves a handler on 127.0.0.1. It keeps its port when it is stopped and started again.
type listener struct {
	certificate *tls.Certificate // nil for plain HTTP
	handler     http.Handler
	accepted    func() // called for each connection; may be nil
	port        int

	mu     sync.Mutex
	server *http.Server
	socket net.Listener
}

// start listens. It does nothing if it is listening already.
func (l *listener) start() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		return nil
	}
	socket, err := l.listen()
	if err != nil {
		return err
	}
	if l.port == 0 { // written once: it is read without the lock
		l.port = socket.Addr().(*net.TCPAddr).Port
	}
	server := &http.Server{
		Handler: l.handler, ReadHeaderTimeout: 30 * time.Second, ConnState: l.count,
		ErrorLog: log.New(io.Discard, "", 0), // tests use clients that do not trust the CA
	}
	l.server, l.socket = server, socket
	if l.certificate == nil {
		go func() { _ = server.Serve(socket) }() // ends with stop
		return nil
	}
	server.TLSConfig = &tls.Config{GetCertificate: l.presented, MinVersion: tls.VersionTLS12}
	go func() { _ = server.ServeTLS(socket, "", "") }() // ends with stop
	return nil
}

// listen listens on the port of before, the first time on one that no outgoing connection gets while it is stopped.
func (l *listener) listen() (net.Listener, error) {
	if l.port == 0 {
		return ports.Listen()
	}
	socket, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", ports.Address(l.port))
	if err != nil {
		return nil, fmt.Errorf("listening again: %w", err)
	}
	return socket, nil
}

// present changes the certificate for new connections.
func (l *listener) present(certificate *tls.Certificate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.certificate = certificate
}

func (l *listener) presented(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.certificate, nil
}

// stop closes the listener and its connections.
func (l *listener) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		_ = l.server.Close() // an error means that it is closed already
		_ = l.socket.Close() // which the server closes only after it has begun to serve
		l.server = nil
	}
}

func (l *listener) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew && l.accepted != nil {
		l.accepted()
	}
}
