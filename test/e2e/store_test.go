package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

func TestAccountsMayReadTheKeyAndNobodyElse(t *testing.T) {
	thumbprint := env.put(t, "accounts", keyvault.CertificateOptions{})
	env.create(t, "accounts", env.shop.SecretURL("accounts"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.Accounts = []string{`NT AUTHORITY\NETWORK SERVICE`, "vaultpane-unknown"}
	})
	if env.kind == node.Native { // where there are no Windows accounts, they do not stop the certificate
		env.installed(t, "accounts", thumbprint)
		return
	}
	entry := env.fails(t, "accounts", v1alpha1.ReasonAccountNotFound)
	if entry.Thumbprint != thumbprint || !strings.Contains(entry.Message, `"vaultpane-unknown"`) || strings.Contains(entry.Message, "NETWORK SERVICE") {
		t.Errorf("the node reports %+v", entry)
	}
	env.holds(t, "accounts", my, thumbprint)
	const everyone = "D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)"
	env.becomes(t, "the account that is known may read the key", thumbprint, func(held node.Certificate) bool {
		return held.Access == everyone+"(A;;FR;;;S-1-5-20)"
	})
	env.change(t, "accounts", func(certificate *v1alpha1.ObservedCertificate) { certificate.Spec.Accounts = nil })
	env.installed(t, "accounts", thumbprint)
	env.becomes(t, "it may not any more", thumbprint, func(held node.Certificate) bool { return held.Access == everyone })
}

// A key belongs to the location: two stores have it in common, and so its rights.
func TestOneKeyInTwoStoresHasTheRightsOfBoth(t *testing.T) {
	thumbprint := env.put(t, "both", keyvault.CertificateOptions{})
	const everyone = "D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)"
	env.create(t, "both", env.shop.SecretURL("both"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.CertificateStoreName, spec.Accounts = "WebHosting", []string{"S-1-5-20"}
	})
	env.create(t, "both-service", env.shop.SecretURL("both"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.Accounts = []string{"S-1-5-19"}
	})
	env.installed(t, "both", thumbprint)
	env.installed(t, "both-service", thumbprint)
	if env.kind == node.Native {
		return // files are their owner's alone
	}
	want := everyone + "(A;;FR;;;S-1-5-19)(A;;FR;;;S-1-5-20)"
	env.becomes(t, "both accounts may read the key", thumbprint, func(held node.Certificate) bool { return held.Access == want })
	repairs := func() int {
		log, err := os.ReadFile(env.log())
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for line := range strings.Lines(string(log)) {
			if strings.Contains(line, "Repaired the certificate's properties") && strings.Contains(line, "ObservedCertificate=both") {
				count++
			}
		}
		return count
	}
	before := repairs()
	<-time.After(10 * time.Second) // some checks of the store, each of which would find the other's rights wrong
	if after := repairs(); after != before {
		t.Errorf("the two take each other's rights away: %d times in five checks", after-before)
	}
}

func TestThePredecessorIsLinkedToItsSuccessor(t *testing.T) {
	hoursOld := func(hours int) string {
		return env.put(t, "linked", keyvault.CertificateOptions{NotBefore: time.Now().Add(-time.Duration(hours) * time.Hour)})
	}
	first := hoursOld(3)
	env.create(t, "linked", env.shop.SecretURL("linked"), func(spec *v1alpha1.ObservedCertificateSpec) { spec.LinkOnRenewal = true })
	env.installed(t, "linked", first)
	second := hoursOld(2)
	env.ask(t, "linked")
	env.installed(t, "linked", second)
	linked := func(held node.Certificate) bool { return held.Successor == second }
	env.becomes(t, "the predecessor is linked", first, linked)
	env.strip(t, first, renewalProperty)
	env.becomes(t, "a removed link is repaired", first, linked)
	env.change(t, "linked", func(certificate *v1alpha1.ObservedCertificate) { certificate.Spec.LinkOnRenewal = false })
	env.becomes(t, "it is linked no more", first, func(held node.Certificate) bool { return held.Successor == "" })
	env.holds(t, "linked", my, first, second)
}

func TestARootArrivesWithoutAKeyAndGoes(t *testing.T) {
	env.needsAKeptRoot(t)
	root, thumbprint := newRoot(t)
	if _, err := env.shop.SetSecret("root", "application/x-pem-file", root); err != nil {
		t.Fatal(err)
	}
	env.create(t, "root", env.shop.SecretURL("root"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.CertificateStoreName, spec.DeletionPolicy = "Root", v1alpha1.DeletionDelete
	})
	env.installed(t, "root", thumbprint)
	env.becomes(t, "the root is there without a key", thumbprint, func(held node.Certificate) bool {
		return equalFold(held.Store, `LocalMachine\Root`) && held.Owner == "root" && held.Key == "None"
	})
	env.delete(t, "root")
	env.gone(t, "root")
	await.That(t, "the root is gone", func() (bool, error) { return len(env.held(t, "root")) == 0, nil })
}

// needsAKeptRoot skips a test under Wine 10, where every process that opens LocalMachine\Root removes what the agent installed, and so does
// each look of the test. There test/e2eprograms shows that programs trust the root.
func (w *environment) needsAKeptRoot(t *testing.T) {
	t.Helper()
	if w.kind != node.Wine {
		return
	}
	version, err := node.WineVersion(w.machine.Root)
	if err != nil {
		t.Fatal(err)
	}
	if version >= 10 {
		t.Skipf("Wine %d rebuilds LocalMachine\\Root in every process; docs/testing.md", version)
	}
}

func TestALostMarkIsSetAgain(t *testing.T) {
	thumbprint := env.put(t, "unmarked", keyvault.CertificateOptions{})
	env.create(t, "unmarked", env.shop.SecretURL("unmarked"), nil)
	env.installed(t, "unmarked", thumbprint)
	env.holds(t, "unmarked", my, thumbprint)
	before := env.shop.Stats().BySecret["unmarked"]
	env.strip(t, thumbprint, markProperty)
	env.becomes(t, "the mark is back", thumbprint, func(held node.Certificate) bool { return held.Owner == "unmarked" && held.Key == "Present" })
	if after := env.shop.Stats().BySecret["unmarked"]; after != before {
		t.Errorf("the vault was asked %d times for it", after-before)
	}
}

// becomes waits until a certificate of the machine matches, as another process sees it.
func (w *environment) becomes(t *testing.T, what, thumbprint string, wanted func(node.Certificate) bool) {
	t.Helper()
	await.That(t, what, func() (bool, error) {
		all, err := w.machine.List(t.Context())
		if err != nil {
			return false, err
		}
		err = errors.New("the machine does not hold it")
		for _, held := range all {
			if held.Thumbprint != thumbprint {
				continue
			}
			if wanted(held) {
				return true, nil
			}
			err = fmt.Errorf("the machine holds %+v", held)
		}
		return false, err
	})
}

// newRoot returns a certificate authority's certificate, as PEM, and its thumbprint.
func newRoot(t *testing.T) (text, thumbprint string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "Vaultpane test root"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), fmt.Sprintf("%X", sha1.Sum(der))
}

// newKey returns a private key, as PEM.
func newKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// property is a property of a certificate: its identifier on Windows, and how its line in the directory store begins.
type property struct {
	id   uint32
	line string
}

var (
	markProperty    = property{13, "# vaultpane/"}   // CERT_DESCRIPTION_PROP_ID
	renewalProperty = property{64, "# renewed-by: "} // CERT_RENEWAL_PROP_ID
)

// strip removes a property of a certificate in the machine's store MY, as another program would.
func (w *environment) strip(t *testing.T, thumbprint string, which property) {
	t.Helper()
	if w.kind == node.Native {
		w.stripLine(t, filepath.Join(w.machine.StorePath(), "LocalMachine", "MY", thumbprint+".pem"), which.line)
		return
	}
	key := `HKLM\Software\Microsoft\SystemCertificates\MY\Certificates\` + thumbprint
	found := regexp.MustCompile(`Blob\s+REG_BINARY\s+([0-9A-Fa-f]+)`).FindStringSubmatch(w.registry(t, "query", key, "/v", "Blob"))
	if found == nil {
		t.Fatalf("the registry does not hold %s", thumbprint)
	}
	blob, err := hex.DecodeString(found[1])
	if err != nil {
		t.Fatal(err)
	}
	w.registry(t, "add", key, "/v", "Blob", "/t", "REG_BINARY", "/d", hex.EncodeToString(withoutProperty(t, blob, which.id)), "/f")
}

func (w *environment) stripLine(t *testing.T, file, begin string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, begin) {
			kept.WriteString(line)
		}
	}
	if kept.Len() == len(text) {
		t.Fatalf("%s has no line that begins with %q", file, begin)
	}
	if err := os.WriteFile(file, []byte(kept.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withoutProperty takes a property from a certificate as the registry has it: identifier, encoding and length of each, in 32
// bits, and its value (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certserializecertificatestoreelement
// makes the same).
func withoutProperty(t *testing.T, blob []byte, id uint32) []byte {
	t.Helper()
	var kept []byte
	removed := false
	for rest := blob; len(rest) > 0; {
		if len(rest) < 12 || uint64(len(rest)) < 12+uint64(binary.LittleEndian.Uint32(rest[8:])) {
			t.Fatal("the registry's certificate is not as it should be")
		}
		size := 12 + int(binary.LittleEndian.Uint32(rest[8:]))
		if binary.LittleEndian.Uint32(rest) == id {
			removed = true
		} else {
			kept = append(kept, rest[:size]...)
		}
		rest = rest[size:]
	}
	if !removed {
		t.Fatalf("the certificate does not have property %d", id)
	}
	return kept
}

// registry runs Wine's reg and returns what it printed.
func (w *environment) registry(t *testing.T, arguments ...string) string {
	t.Helper()
	output, err := w.machine.Registry(t.Context(), arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}
