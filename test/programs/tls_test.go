package programs

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/ports"
)

// connectionLimit is how long a connection may take.
const connectionLimit = 30 * time.Second

// client is a client of TLS on this system, with a certificate or without. It trusts the vault's root only and checks the server's
// name, sends a line, and returns what the server answers and its thumbprint.
type client func(t *testing.T, port int, serverName, certificate string) (answer, thumbprint string, err error)

// clients are two that share no code.
var clients = map[string]client{"Go": goClient, "openssl": opensslClient}

func goClient(t *testing.T, port int, serverName, certificate string) (answer, thumbprint string, err error) {
	settings := &tls.Config{ServerName: serverName, InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error {
		// Wine's Schannel does not send the intermediate.
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: serverName, Roots: env.authority.roots, Intermediates: env.authority.intermediates})
		return err
	}}
	if certificate != "" {
		own, err := tls.X509KeyPair([]byte(certificate), []byte(certificate))
		if err != nil {
			t.Fatal(err)
		}
		settings.Certificates = []tls.Certificate{own}
	}
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
	return strings.TrimSpace(string(text)), fmt.Sprintf("%X", sha1.Sum(state.PeerCertificates[0].Raw)), err
}

func opensslClient(t *testing.T, port int, serverName, certificate string) (answer, thumbprint string, err error) {
	arguments := []string{"s_client", "-connect", "127.0.0.1:" + strconv.Itoa(port), "-servername", serverName, "-verify_hostname", serverName,
		"-CAfile", env.authority.file, "-no-CApath", "-no-CAstore", "-verify_return_error", "-ign_eof"}
	if certificate != "" {
		file := filepath.Join(t.TempDir(), "client.pem")
		if err := os.WriteFile(file, []byte(certificate), 0o600); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, "-cert", file, "-key", file, "-cert_chain", file)
	}
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
	return answer, fmt.Sprintf("%X", sha1.Sum(leaf[0].Raw)), nil
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
