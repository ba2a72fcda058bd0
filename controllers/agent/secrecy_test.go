package agent_test

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestNoPrivateKeyLeavesTheStore(t *testing.T) {
	m := newMachine(t, "secrecy")
	m.put("pfx", vaulttest.CertificateOptions{WithChain: true})
	m.put("pem", vaulttest.CertificateOptions{ContentType: vaulttest.PEM})
	pfx, pem := string(m.secret("pfx").Value), string(m.secret("pem").Value)
	secrets := map[string]struct{ contentType, value string }{
		"pfx-as-pem":  {"application/x-pem-file", pfx},
		"pem-as-pfx":  {"application/x-pkcs12", pem},
		"as-text":     {"text/plain", pem},
		"no-type":     {"", pfx},
		"cut-pfx":     {"application/x-pkcs12", pfx[:len(pfx)/8*4]},
		"cut-pem":     {"application/x-pem-file", pem[:len(pem)/8]},
		"damaged-pem": {"application/x-pem-file", strings.Replace(pem, "MI", "!!", 1)},
		"two-keys":    {"application/x-pem-file", pem + pem},
		"mismatch":    {"application/x-pem-file", m.pemBlocks("one", "PRIVATE KEY") + m.pemBlocks("another", "CERTIFICATE")},
	}
	for name, secret := range secrets {
		m.vault.PutRaw(m.full(name), secret.contentType, secret.value)
		m.create(name)
	}
	for name := range secrets {
		m.reported(name, "with a reason", func(e *v1alpha1.CertificateEntry) bool { return e.State == v1alpha1.StateFailed })
	}
	m.store.breaks("Install", m.vault.Thumbprint(m.full("pem")), false)
	m.create("pfx")
	m.create("pem")
	m.installed("pfx", m.vault.Thumbprint(m.full("pfx")))
	m.fails("pem", v1alpha1.ReasonStoreFailure)
	m.store.recover()
	m.installed("pem", m.vault.Thumbprint(m.full("pem")))

	output := m.allOutput()
	if !strings.Contains(output, "Installed the certificate") || !strings.Contains(output, string(v1alpha1.ReasonMalformedSecret)) {
		t.Fatal("the log is not where this test looks for it")
	}
	for _, piece := range append(pieces(pfx, pem), m.numbers("pfx")...) {
		if strings.Contains(output, piece) {
			t.Errorf("%q was written", piece)
		}
	}
}

func TestAPanicLogsNoKey(t *testing.T) {
	m := newMachine(t, "panic")
	web := m.put("web", vaulttest.CertificateOptions{})
	value := string(m.secret("web").Value)
	m.store.panicsAtInstall()
	m.create("web")
	m.eventually("the panic is logged with what it was about", func() (bool, error) {
		return strings.Contains(m.log.text(), "item("+web+" with key)"), nil
	})
	output := m.allOutput()
	for _, piece := range append(pieces(value), m.numbers("web")...) {
		if strings.Contains(output, piece) {
			t.Errorf("%q was written", piece)
		}
	}
	m.store.recover()
	m.installed("web", web) // without help
}

// allOutput is everything that the agent writes, except to the store.
func (m *machine) allOutput() string {
	m.t.Helper()
	state, err := m.front.state()
	if err != nil {
		m.t.Fatal(err)
	}
	reported, err := json.Marshal(state)
	if err != nil {
		m.t.Fatal(err)
	}
	output := []string{m.log.text(), sharedLog.text(), string(reported)}
	for _, entry := range state.Certificates {
		output = append(output, m.events(strings.TrimPrefix(entry.Name, m.full("")))...)
	}
	return strings.Join(output, "\n")
}

// pieces cuts secrets' values into pieces that are long enough to be unambiguous.
func pieces(values ...string) []string {
	const length = 24
	cut := []string{"PRIVATE KEY"}
	for _, value := range values {
		for line := range strings.Lines(value) {
			for line = strings.TrimSpace(line); len(line) >= length && !strings.HasPrefix(line, "-----"); line = line[length:] {
				cut = append(cut, line[:length])
			}
		}
	}
	return cut
}

// numbers are a certificate's private key in the forms in which Go prints it.
func (m *machine) numbers(name string) []string {
	m.t.Helper()
	key, ok := m.takeFromVault(name).Key.(*ecdsa.PrivateKey)
	if !ok {
		m.t.Fatalf("the key of %s is no EC key", name)
	}
	secret, err := key.Bytes()
	if err != nil {
		m.t.Fatal(err)
	}
	return []string{
		fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), strings.Trim(fmt.Sprintf("%d", secret), "[]"),
		base64.StdEncoding.EncodeToString(secret), fmt.Sprint(key.D), //nolint:staticcheck // D is what printing the key shows
	}
}
