package storecommand

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

var update = flag.Bool("update", false, "write the golden files")

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// golden compares text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")) // as git writes it on Windows
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./cmd/agent -update writes it:\n%s", path, diff)
	}
}

// storeFolder is a store of files as the agent leaves it. Its keys come from fixed seeds, so that thumbprints are always the same.
type storeFolder struct {
	t    *testing.T
	root string
	next byte
}

type item struct {
	certificate *x509.Certificate
	key         ed25519.PrivateKey
}

func newStoreFolder(t *testing.T) *storeFolder {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the store of Windows has no folder")
	}
	return &storeFolder{t: t, root: t.TempDir()}
}

// issue makes a certificate that is valid from and for some days around now.
func (s *storeFolder) issue(name string, from, to int, authority bool, issuer *item) *item {
	s.t.Helper()
	s.next++
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{s.next}, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(s.next)), Subject: pkix.Name{CommonName: name}, IsCA: authority, BasicConstraintsValid: true,
		NotBefore: now.AddDate(0, 0, from), NotAfter: now.AddDate(0, 0, to),
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.certificate, issuer.key
	}
	raw, err := x509.CreateCertificate(nil, template, parent, key.Public(), signer)
	if err != nil {
		s.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		s.t.Fatal(err)
	}
	return &item{certificate, key}
}

func (i *item) thumbprint() string {
	return strings.ToUpper(fmt.Sprintf("%x", sha1.Sum(i.certificate.Raw)))
}

// put writes a certificate with its properties into a store, with its key if key is true.
func (s *storeFolder) put(store string, one *item, key bool, properties ...string) {
	s.t.Helper()
	folder := filepath.Join(s.root, "LocalMachine", store)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		s.t.Fatal(err)
	}
	var text strings.Builder
	for _, line := range properties {
		text.WriteString("# " + line + "\n")
	}
	text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.certificate.Raw}))
	path := filepath.Join(folder, one.thumbprint())
	if err := os.WriteFile(path+".pem", []byte(text.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if !key {
		return
	}
	der, err := x509.MarshalPKCS8PrivateKey(one.key)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

const (
	keyLine = "private-key: beside this file"
	full    = "access: D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)"
)

func mark(role, name, version string) string {
	provider := ""
	if role == "leaf" {
		provider = "CNG"
	}
	return fmt.Sprintf("vaultpane/1 role=%s name=%s uid=%s-uid source=9c1d version=%s deletion=Retain exportable=false provider=%s",
		role, name, name, strings.Repeat(version, 32), provider)
}

// newHealthyStore is a machine on which all is healthy.
func newHealthyStore(t *testing.T) (s *storeFolder, issuing *item) {
	t.Helper()
	s = newStoreFolder(t)
	root := s.issue("Example Root", -100, 1000, true, nil)
	issuing = s.issue("Example Issuing CA", -100, 1000, true, root)
	before := s.issue("web.example.com", -80, 10, false, issuing)
	current := s.issue("web.example.com", -20, 70, false, issuing)
	s.put("ROOT", root, false, mark("trusted", "corp-root", "a"))
	s.put("CA", issuing, false, mark("intermediate", "web", "2"))
	s.put("MY", before, true, mark("leaf", "web", "1"), full, "renewed-by: "+current.thumbprint(), keyLine)
	s.put("MY", current, true, mark("leaf", "web", "2"), "friendly-name: web (myvault.vault.azure.net)", full+"(A;;FR;;;S-1-5-20)", keyLine)
	s.put("MY", s.issue("another tool's", -100, 1, false, nil), false)
	return s, issuing
}

// newDamagedStore is a machine on which much is wrong.
func newDamagedStore(t *testing.T) *storeFolder {
	t.Helper()
	s, issuing := newHealthyStore(t)
	ends := s.issue("ends.example.com", -80, 20, false, issuing)
	s.put("MY", ends, true, mark("leaf", "ends", "3"), full, keyLine)
	s.put("MY", s.issue("keyless.example.com", -80, 80, false, issuing), false, mark("leaf", "keyless", "4"), full, keyLine)
	s.put("MY", s.issue("open.example.com", -80, 80, false, issuing), true, mark("leaf", "open", "5"), full+"(A;;FR;;;S-1-1-0)", keyLine)
	s.put("MY", s.issue("lost.example.com", -80, 80, false, issuing), true, full, keyLine)
	s.put("MY", s.issue("later.example.com", -80, 80, false, issuing), true, "vaultpane/2 something", full, keyLine)
	s.put("MY", s.issue("astray.example.com", -80, 80, false, issuing), true, mark("leaf", "astray", "6"), full, "renewed-by: "+strings.Repeat("0", 40), keyLine)
	s.put("MY", s.issue("past.example.com", -80, -1, false, issuing), true, mark("leaf", "past", "7"), full, keyLine)
	unknown := s.issue("Unknown CA", -100, 1000, true, nil)
	s.put("MY", s.issue("incomplete.example.com", -80, 80, false, unknown), true, mark("leaf", "incomplete", "8"), full, keyLine)
	s.put("CA", s.issue("Bygone CA", -100, 1000, true, unknown), false, mark("intermediate", "bygone", "9"))
	return s
}

// show runs the store command and returns what it printed, and the code that the process would end with.
func show(s *storeFolder, arguments ...string) (output string, code int) {
	var out bytes.Buffer
	err := Run(append(arguments, "--store-path", s.root), &out, now)
	return out.String(), cli.ExitCode("vaultpane-agent", err, io.Discard)
}

func TestStoreListAndVerify(t *testing.T) {
	healthy, _ := newHealthyStore(t)
	damaged := newDamagedStore(t)
	tests := []struct {
		golden      string
		storeFolder *storeFolder
		arguments   []string
		code        int
	}{
		{"list.txt", healthy, []string{"list"}, 0},
		{"list.json", healthy, []string{"list", "--json"}, 0},
		{"list-damaged.txt", damaged, []string{"list"}, 0},
		{"verify.txt", healthy, []string{"verify"}, 0},
		{"verify-damaged.txt", damaged, []string{"verify"}, 1},
		{"verify-damaged.json", damaged, []string{"verify", "--json"}, 1},
	}
	for _, test := range tests {
		t.Run(test.golden, func(t *testing.T) {
			got, code := show(test.storeFolder, test.arguments...)
			if code != test.code {
				t.Errorf("it ends with %d, want %d", code, test.code)
			}
			golden(t, test.golden, got)
		})
	}
}

func TestStoreHelp(t *testing.T) {
	t.Setenv("VAULTPANE_STORE_PATH", "")
	if runtime.GOOS == "windows" {
		t.Skip("the flags are described otherwise there")
	}
	var out bytes.Buffer
	if err := Run([]string{"--help"}, &out, now); err != nil {
		t.Fatal(err)
	}
	golden(t, "store-help.txt", out.String())
}

func TestTheStoreCommandThatCannotWorkEndsWithTwo(t *testing.T) {
	s := newStoreFolder(t)
	for _, arguments := range [][]string{{"verify", "--all"}, {"verify", "list"}, {"look"}, {}, {"list", "--yaml"}} {
		if output, code := show(s, arguments...); code != 2 {
			t.Errorf("store %s ends with %d, want 2; it printed %q", strings.Join(arguments, " "), code, output)
		}
	}
	s.root = "not/absolute"
	for _, command := range []string{"list", "verify"} {
		if output, code := show(s, command); code != 2 || output != "" {
			t.Errorf("store %s of what cannot be read ends with %d, want 2; it printed %q", command, code, output)
		}
	}
}

func TestAMachineWithoutAnythingOfVaultpanesSaysSo(t *testing.T) {
	s := newStoreFolder(t)
	s.put("MY", s.issue("another tool's", -1, 30, false, nil), true)
	got, code := show(s, "verify")
	if want := "store verify: NOTHING"; !strings.HasPrefix(got, want) || code != 3 {
		t.Errorf("got %q and code %d, want %q and 3", got, code, want)
	}
	s = newStoreFolder(t)
	if got, code := show(s, "verify"); !strings.HasPrefix(got, "store verify: NOTHING") || code != 3 {
		t.Errorf("of an empty folder: got %q and code %d", got, code)
	}
	if got, _ := show(s, "verify", "--json"); !strings.Contains(got, `"findings": []`) {
		t.Errorf("got %s, want an empty list and not null", got)
	}
	if got, _ := show(s, "list", "--json"); got != "[]\n" {
		t.Errorf("got %s, want an empty list and not null", got)
	}
}

func TestAKeyWithoutCertificateIsAFailure(t *testing.T) {
	s, _ := newHealthyStore(t)
	key := filepath.Join(s.root, "LocalMachine", "MY", strings.Repeat("A", 40)+".key")
	if err := os.WriteFile(key, nil, 0o600); err != nil { // the writer was killed before the first byte
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Minute)
	if err := os.Chtimes(key, then, then); err != nil {
		t.Fatal(err)
	}
	got, code := show(s, "verify")
	if !strings.Contains(got, key) || !strings.Contains(got, "store verify: FAIL") || code != 1 {
		t.Errorf("got %q and code %d", got, code)
	}
}

// A certificate's names can contain any text that its issuer wrote.
func TestNamesOfCertificatesCannotChangeTheTerminal(t *testing.T) {
	s := newStoreFolder(t)
	s.put("MY", s.issue("a\x1b[31mb\nc\u009bd\u202ee", -1, 30, false, nil), true)
	for _, arguments := range [][]string{{"list"}, {"list", "--json"}} {
		got, _ := show(s, arguments...)
		if strings.ContainsAny(strings.ReplaceAll(got, "\n", ""), "\x1b\u009b\u202e") || strings.Contains(got, "b\nc") || strings.Contains(got, `\u001b`) {
			t.Errorf("store %v prints %q", arguments, got)
		}
	}
}

// What http.sys serves with a certificate is in a column of its own, when there is any.
func TestWhatUsesACertificateIsShown(t *testing.T) {
	listing := listing{Certificates: []storedCertificate{
		{Store: `LocalMachine\MY`, Thumbprint: "AA", Subject: "CN=web", Key: "Present", Owner: "web", Role: "leaf", Version: "1", NotAfter: now, UsedBy: []string{"0.0.0.0:443", "shop.example:443"}},
		{Store: `LocalMachine\MY`, Thumbprint: "BB", Subject: "CN=api", Key: "Present", Owner: "api", Role: "leaf", Version: "2", NotAfter: now},
	}}
	var out bytes.Buffer
	if err := printTable(listing, &out); err != nil {
		t.Fatal(err)
	}
	golden(t, "list-used.txt", out.String())
	listing.Certificates[0].UsedBy, listing.Unbound = nil, fmt.Errorf("asking http.sys for its bindings: it is away")
	out.Reset()
	if err := printTable(listing, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Contains(got, "USED BY") || !strings.Contains(got, "Cannot find out what uses them: asking http.sys") {
		t.Errorf("got %s", got)
	}
}

// Other programs read these names.
func TestTheNamesInTheJSONAreStable(t *testing.T) {
	s, _ := newHealthyStore(t)
	output, _ := show(s, "list", "--json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(output), &rows); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"store", "thumbprint", "subject", "notAfter", "key", "owner", "version"} {
		if _, ok := rows[2][name]; !ok {
			t.Errorf("%s is missing in %v", name, rows[2])
		}
	}
}

func TestTheStoreCommandNamesAStoreThatThisSystemDoesNotHave(t *testing.T) {
	err := Run([]string{"list", "--store", "pkcs11"}, io.Discard, now)
	if err == nil || !strings.Contains(err.Error(), `--store is "pkcs11"`) {
		t.Errorf("got error %v", err)
	}
}
