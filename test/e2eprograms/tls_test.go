package e2eprograms

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/internal/ports"
	"github.com/vaultpane/vaultpane/test/node"
)

// connectionLimit is how long a connection may take.
const connectionLimit = 30 * time.Second

// client is a client of TLS on this system. It checks the server's chain and name, sends a line, and returns what the server answers
// and its thumbprint.
type client func(t *testing.T, trusts trust, port int, serverName string) (answer, thumbprint string, err error)

// clients are two that share no code.
var clients = map[string]client{"Go": goClient, "openssl": opensslClient}

func goClient(t *testing.T, trusts trust, port int, serverName string) (answer, thumbprint string, err error) {
	settings := &tls.Config{ServerName: serverName, InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error {
		return trusts.verify(state.PeerCertificates, x509.VerifyOptions{DNSName: serverName})
	}}
	ctx, cancel := context.WithTimeout(t.Context(), connectionLimit)
	defer cancel()
	raw, err := (&tls.Dialer{Config: settings}).DialContext(ctx, "tcp", ports.Address(port))
	if err != nil {
		return "", "", err
	}
	connection := raw.(*tls.Conn)
	defer func() { _ = connection.Close() }() // the server may have closed it
	if err := connection.SetDeadline(time.Now().Add(connectionLimit)); err != nil {
		return "", "", err
	}
	state := connection.ConnectionState()
	t.Logf("%s with %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
	if _, err := io.WriteString(connection, "hello\n"); err != nil {
		return "", "", err
	}
	text, err := io.ReadAll(connection)
	return strings.TrimSpace(string(text)), thumbprintOf(state.PeerCertificates[0]), err
}

func opensslClient(t *testing.T, trusts trust, port int, serverName string) (answer, thumbprint string, err error) {
	arguments := []string{"s_client", "-connect", "127.0.0.1:" + strconv.Itoa(port), "-servername", serverName, "-verify_hostname", serverName,
		"-CAfile", trusts.file, "-no-CApath", "-no-CAstore", "-verify_return_error", "-ign_eof"}
	ctx, cancel := context.WithTimeout(t.Context(), connectionLimit)
	defer cancel()
	command := exec.CommandContext(ctx, "openssl", arguments...)
	command.Stdin = strings.NewReader("hello\n")
	output, err := command.CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("%w\n%s", err, output)
	}
	for line := range bytes.Lines(output) {
		if bytes.HasPrefix(line, []byte("served by ")) {
			answer = strings.TrimSpace(string(line))
		}
	}
	leaf, err := certificatesIn(string(output)) // s_client prints the server's
	if err != nil || len(leaf) != 1 {
		return "", "", fmt.Errorf("openssl prints %d certificates (%w):\n%s", len(leaf), err, output)
	}
	return answer, thumbprintOf(leaf[0]), nil
}

// servers are two of TLS on this system that share no code. Their certificate is PEM, with its key and chain. They want a certificate of
// their clients that the vault's root vouches for, and answer a request for a page with it. They return their ports.
var servers = map[string]func(t *testing.T, certificate string) int{"Go": goServer, "openssl": opensslServer}

func goServer(t *testing.T, certificate string) int {
	own, err := tls.X509KeyPair([]byte(certificate), []byte(certificate))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, text(r.TLS.PeerCertificates[0])) // the client notices
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: func(state tls.ConnectionState) error {
		t.Logf("the client uses %s with %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
		return env.authority.knowing.verify(state.PeerCertificates, x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	}}
	server.Config.ErrorLog = log.New(t.Output(), "Go's server: ", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().(*net.TCPAddr).Port
}

func opensslServer(t *testing.T, certificate string) int {
	file := filepath.Join(t.TempDir(), "server.pem")
	if err := os.WriteFile(file, []byte(certificate), 0o600); err != nil {
		t.Fatal(err)
	}
	port, log := freePort(t), filepath.Join(t.TempDir(), "server.log")
	process, err := node.StartProcess(exec.Command("openssl", "s_server", "-accept", "127.0.0.1:"+strconv.Itoa(port), "-cert", file, "-key", file,
		"-cert_chain", file, "-CAfile", env.authority.knowing.file, "-no-CApath", "-no-CAstore", "-Verify", "4", "-verify_return_error", "-www"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
	await.That(t, "openssl listens", func() (bool, error) {
		said, err := os.ReadFile(log)
		return bytes.Contains(said, []byte("ACCEPT")), err
	})
	return port
}

// verify verifies a chain.
func (t trust) verify(chain []*x509.Certificate, options x509.VerifyOptions) error {
	options.Roots, options.Intermediates = t.roots, t.intermediates.Clone()
	for _, one := range chain[1:] {
		options.Intermediates.AddCert(one)
	}
	_, err := chain[0].Verify(options)
	return err
}

func thumbprintOf(certificate *x509.Certificate) string {
	return fmt.Sprintf("%X", sha1.Sum(certificate.Raw))
}

// selfSigned is a certificate that nobody vouches for, as PEM with its key.
func selfSigned(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// isServed checks that each kind of client verifies a server's chain and name, and gets an answer with a certificate; and that none takes
// it for another name.
func isServed(t *testing.T, trusts trust, port int, name, thumbprint string) {
	t.Helper()
	for kind, connect := range clients {
		answer, shown, err := connect(t, trusts, port, name+".example.com")
		if want := "served by " + thumbprint; err != nil || shown != thumbprint || answer != want {
			t.Errorf("%s: the server shows %s and says %q (%v), want %s", kind, shown, answer, err, thumbprint)
		}
		if _, shown, err := connect(t, trusts, port, "other.example.com"); err == nil {
			t.Errorf("%s takes %s for other.example.com", kind, shown)
		}
	}
}

// freePort is a port that is free.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
