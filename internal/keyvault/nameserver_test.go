package keyvault

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Response codes of a name server (RFC 1035, section 4.1.1).
const (
	noError       = 0
	serverFailure = 2
	nameError     = 3
)

// nameServer is a DNS server on 127.0.0.1, over TCP since Wine 8 has no UDP for Go. It knows no name until answer is called, and
// resolves known names to 127.0.0.1.
type nameServer struct {
	mu    sync.Mutex
	codes map[string]byte // by name with its last dot
}

// nameServer starts a name server and makes the fixture's clients use it.
func (f *fixture) nameServer(t *testing.T) *nameServer {
	t.Helper()
	socket := listen(t)
	t.Cleanup(func() { _ = socket.Close() })
	server := &nameServer{codes: map[string]byte{}}
	go server.serve(socket)
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", socket.Addr().String())
	}}
	f.httpTransport().DialContext = (&net.Dialer{Timeout: 5 * time.Second, Resolver: resolver}).DialContext
	return server
}

// answer sets the code that a name is answered with.
func (s *nameServer) answer(name string, code byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[name] = code
}

func (s *nameServer) serve(socket net.Listener) {
	for {
		peer, err := socket.Accept()
		if err != nil {
			return // closed
		}
		go func() {
			defer func() { _ = peer.Close() }() // the response is complete
			var length uint16                   // before each message (RFC 1035, section 4.2.2)
			for binary.Read(peer, binary.BigEndian, &length) == nil {
				question := make([]byte, length)
				if _, err := io.ReadFull(peer, question); err != nil {
					return
				}
				reply := s.reply(question)
				_, _ = peer.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)) // it may have disconnected
			}
		}()
	}
}

// reply answers a question of one name: the header, the question as it came, and an address if one was asked for.
func (s *nameServer) reply(question []byte) []byte {
	const header = 12
	var labels []string
	end := header
	for ; question[end] != 0; end += 1 + int(question[end]) {
		labels = append(labels, string(question[end+1:end+1+int(question[end])]))
	}
	kind := binary.BigEndian.Uint16(question[end+1:])
	end += 5
	s.mu.Lock()
	code, known := s.codes[strings.ToLower(strings.Join(labels, "."))+"."]
	s.mu.Unlock()
	if !known {
		code = nameError
	}
	reply := append([]byte{question[0], question[1], 0x81, 0x80 | code, 0, 1, 0, 0, 0, 0, 0, 0}, question[header:end]...)
	if code == noError && kind == 1 { // A
		reply[7] = 1
		reply = append(reply, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return reply
}

func (f *fixture) httpTransport() *http.Transport { return f.wire.next.(*http.Transport) }

// route redirects connections from one address to another.
func (f *fixture) route(from, to string) {
	f.httpTransport().DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == from {
			address = to
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}

// plainServer stands for plain.localhost and speaks no TLS.
func (f *fixture) plainServer(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	f.route("plain.localhost:443", server.Listener.Addr().String())
}

// A vault may be created after the certificate that names it.
func TestAVaultThatAppearsLaterIsFoundWithoutARestart(t *testing.T) {
	f := newFixture(t)
	names := f.nameServer(t)
	later := urlOf(t, "https://later.localhost"+f.port()+"/secrets/word")
	_, err := f.clients.Get(t.Context(), later, "", time.Now())
	_ = f.wantFailure(t, err, later, v1alpha1.ReasonVaultNotFound, "does not resolve")
	names.answer("later.localhost.", noError)
	err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		got, err := f.clients.Get(ctx, later, "", time.Now())
		return err == nil && string(got.Value) == secretValue, nil
	})
	if err != nil {
		t.Errorf("the vault that has appeared is not read: %v", err)
	}
}
