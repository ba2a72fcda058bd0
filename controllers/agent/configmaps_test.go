package agent_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/test/install"
)

// bundleKey is the key of the tests' ConfigMaps.
const bundleKey = "ca-certificates.crt"

// fromConfigMap lets a certificate come from the machine's ConfigMap of that name, into Root.
func (m *machine) fromConfigMap(name string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.URL, spec.CertificateStoreName = "", "Root"
		spec.ConfigMap = &v1alpha1.ConfigMapKey{Name: m.full(name), Key: bundleKey}
	}
}

// allow gives the agents the right to read the machine's ConfigMaps of these names, by the Role that the chart renders.
func (m *machine) allow(names ...string) {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "trust", "trust.yaml"))
	m.must(err)
	first, second, _ := strings.Cut(string(text), "\n---\n")
	var role rbacv1.Role
	var binding rbacv1.RoleBinding
	m.must(yaml.UnmarshalStrict([]byte(first), &role))
	m.must(yaml.UnmarshalStrict([]byte(second), &binding))
	role.Name, binding.Name, binding.RoleRef.Name = m.name, m.name, m.name // each test has its own
	role.Rules[0].ResourceNames = nil
	for _, name := range names {
		role.Rules[0].ResourceNames = append(role.Rules[0].ResourceNames, m.full(name))
	}
	m.must(m.kube.Create(m.t.Context(), &role))
	m.must(m.kube.Create(m.t.Context(), &binding))
}

// fill writes the content of the machine's ConfigMap of a name.
func (m *machine) fill(name, content string) {
	m.t.Helper()
	configMap := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: m.full(name)}, Data: map[string]string{bundleKey: content},
	}
	metav1.SetMetaDataAnnotation(&configMap.ObjectMeta, corev1.LastAppliedConfigAnnotation, content) // as kubectl apply does
	err := m.kube.Create(m.t.Context(), configMap)
	if apierrors.IsAlreadyExists(err) {
		err = m.kube.Update(m.t.Context(), configMap)
	}
	m.must(err)
}

func asPEM(certificates ...*x509.Certificate) string {
	var text bytes.Buffer
	for i, one := range certificates {
		fmt.Fprintf(&text, "# authority %d: %s\n", i, one.Subject.CommonName)
		_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: one.Raw}) // a buffer takes everything
		text.WriteString("\n")
	}
	return text.String()
}

// reportsOtherVersion waits until the node reports another version than one, and returns it.
func (m *machine) reportsOtherVersion(name, than string) string {
	m.t.Helper()
	return m.reported(name, "with another version", func(e *v1alpha1.CertificateEntry) bool {
		return e.State == v1alpha1.StateInstalled && e.Reason == "" && e.Version != "" && e.Version != than
	}).Version
}

func TestTheAuthoritiesOfAConfigMapAreTrustedAndFollowIt(t *testing.T) {
	m := newClusterMachine(t, "configmap")
	a, b, c := m.authority("a"), m.authority("b"), m.authority("c")
	m.allow("trust")
	m.fill("trust", asPEM(a, b))
	m.create("trust", m.fromConfigMap("trust"), keeping(0), deleteWhenGone)
	m.trusts(trustedRoots, a, b)
	first := m.reportsOtherVersion("trust", "")

	m.fill("trust", asPEM(b, a, b)+"\n# the same, in another order\n")
	m.pass(time.Minute)
	reads, writes := m.requestsFor("trust"), len(m.store.written(0))
	m.annotate("trust", v1alpha1.RequestedAtAnnotation, m.clock.Now().UTC().Format(time.RFC3339))
	m.reported("trust", "polled again", func(e *v1alpha1.CertificateEntry) bool { return e.RequestedAt != "" && e.Version == first })
	if m.requestsFor("trust") == reads {
		t.Error("a poll that was requested read nothing")
	}
	if changed := m.store.written(writes); len(changed) > 0 {
		t.Errorf("order and comments are no new version, and the store was written: %q", changed)
	}
	m.fill("trust", asPEM(b, c))
	m.trusts(trustedRoots, b, c)
	second := m.reportsOtherVersion("trust", first)
	m.fill("trust", asPEM(a, b))
	m.trusts(trustedRoots, a, b)
	if third := m.reportsOtherVersion("trust", second); third != first {
		t.Errorf("the version of the first bundle was %s, and is %s now", first, third)
	}
	m.fill("trust", asPEM(b))
	m.trusts(trustedRoots, b)
	m.removeBehind(trustedRoots, certstore.Thumbprint(b))
	m.trusts(trustedRoots, b)
	m.delete("trust")
	m.gone("trust")
	m.trusts(trustedRoots)
	m.eventually("it is watched no more", func() (bool, error) { return m.configMaps.Revision(m.full("trust")) == "", nil })
}

func TestWithoutALimitAuthoritiesThatLeftTheConfigMapStayTrusted(t *testing.T) {
	m := newClusterMachine(t, "configmap-kept")
	a, b := m.authority("a"), m.authority("b")
	m.allow("trust")
	m.fill("trust", asPEM(a, b))
	m.create("trust", m.fromConfigMap("trust"))
	m.trusts(trustedRoots, a, b)
	before := m.reportsOtherVersion("trust", "")
	m.fill("trust", asPEM(b))
	m.reportsOtherVersion("trust", before)
	m.trusts(trustedRoots, a, b)
}

func TestWhatCannotBeReadOfAConfigMapEndsNoTrust(t *testing.T) {
	m := newClusterMachine(t, "configmap-unusable")
	a := m.authority("a")
	good := asPEM(a)
	m.allow("trust")
	m.create("trust", m.fromConfigMap("trust"), keeping(0), deleteWhenGone)
	m.fails("trust", v1alpha1.ReasonConfigMapNotFound, m.full("trust"), "does not exist")
	m.fill("trust", good)
	m.trusts(trustedRoots, a)
	m.reportsOtherVersion("trust", "")
	for _, test := range []struct{ content, says string }{
		{"", "is empty"},
		{"# nothing is trusted any more\n", "is not PEM"},
		{strings.Replace(good, "MI", "!!", 1), "not base64"},
		{"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "has no certificate"},
	} {
		m.fill("trust", test.content)
		m.fails("trust", v1alpha1.ReasonMalformedSecret, test.says, "the key "+bundleKey+" of the ConfigMap "+install.Namespace+"/"+m.full("trust"))
		m.trusts(trustedRoots, a)
		m.fill("trust", good) // at once, without the wait after a failure
		m.reported("trust", "installed again", func(e *v1alpha1.CertificateEntry) bool { return e.Reason == "" && e.State == v1alpha1.StateInstalled })
	}
	m.must(m.kube.Delete(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: m.full("trust")}}))
	entry := m.fails("trust", v1alpha1.ReasonConfigMapNotFound, "stay")
	if entry.State != v1alpha1.StateInstalled || entry.Thumbprint == "" {
		t.Errorf("the node reports %+v, want the certificate installed", entry)
	}
	m.trusts(trustedRoots, a)
}

func TestAPrivateKeyInAConfigMapIsRefusedAndNothingOfItIsWritten(t *testing.T) {
	m := newClusterMachine(t, "configmap-key")
	a, b := m.authority("a"), m.authority("b")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	m.must(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	m.must(err)
	block := func(heading string) string { return string(pem.EncodeToMemory(&pem.Block{Type: heading, Bytes: der})) }
	m.allow("trust")
	m.fill("trust", asPEM(a))
	m.create("trust", m.fromConfigMap("trust"), keeping(0))
	m.trusts(trustedRoots, a)
	for _, heading := range []string{"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "CERTIFICATE"} {
		m.fill("trust", block(heading)+asPEM(b))
		entry := m.fails("trust", v1alpha1.ReasonPrivateKeyNotAllowed, bundleKey, m.full("trust"))
		if entry.State != v1alpha1.StateFailed {
			t.Errorf("%s: the state is %q, want Failed", heading, entry.State)
		}
		m.trusts(trustedRoots, a)
		m.fill("trust", asPEM(a))
		m.reported("trust", "installed again", func(e *v1alpha1.CertificateEntry) bool { return e.Reason == "" && e.State == v1alpha1.StateInstalled })
	}
	m.eventually("the refusal is an event", func() (bool, error) { return len(m.events("trust")) > 0, nil })
	output := m.allOutput()
	output += undumped(output)
	for _, piece := range pieces(block("PRIVATE KEY"))[1:] {
		if strings.Contains(output, piece) {
			t.Errorf("%q was written", piece)
		}
	}
}

// dumped is a line of a hexadecimal dump, as client-go logs bodies at level 8.
var dumped = regexp.MustCompile(`[0-9a-f]{8}  ((?:[0-9a-f]{2} {1,2}){1,16})`)

// undumped returns what the hexadecimal dumps in a log contain.
func undumped(log string) string {
	var text strings.Builder
	for _, line := range dumped.FindAllStringSubmatch(log, -1) {
		raw, err := hex.DecodeString(strings.ReplaceAll(line[1], " ", ""))
		if err == nil {
			text.Write(raw)
		}
	}
	return text.String()
}

func TestAConfigMapThatAgentsMayNotReadIsAskedForOnceAndThenRarely(t *testing.T) {
	m := newClusterMachine(t, "configmap-denied")
	a := m.authority("a")
	m.fill("trust", asPEM(a))
	m.create("trust", m.fromConfigMap("trust"))
	m.fails("trust", v1alpha1.ReasonConfigMapNotAllowed, m.full("trust"), "trust.configMaps")
	requests := m.requestsFor("trust")
	for range 5 { // a watch that went on would ask again within a second
		m.reconcilesAgain("trust")
		m.storeIsRead()
	}
	if later := m.requestsFor("trust"); requests > 3 || later != requests {
		t.Errorf("%d requests became %d, want at most 3 (list, watch, get), and none more", requests, later)
	}
	m.allow("trust")
	m.pass(time.Minute)
	m.trusts(trustedRoots, a)
	m.eventually("it is watched", func() (bool, error) {
		current := &corev1.ConfigMap{}
		err := m.kube.Get(t.Context(), client.ObjectKey{Namespace: install.Namespace, Name: m.full("trust")}, current)
		return m.configMaps.Revision(m.full("trust")) == current.ResourceVersion, err
	})
	b := m.authority("b")
	m.fill("trust", asPEM(a, b))
	m.trusts(trustedRoots, a, b)
}

// An API server that does not answer is no failure of the certificate.
func TestAConfigMapIsReadLaterIfTheAPIServerFails(t *testing.T) {
	m := newClusterMachine(t, "configmap-later")
	a, b := m.authority("a"), m.authority("b")
	m.allow("trust")
	m.fill("trust", asPEM(a))
	m.create("trust", m.fromConfigMap("trust"), keeping(0))
	m.trusts(trustedRoots, a)
	version := m.reportsOtherVersion("trust", "")
	m.configMapFails.Store(true)
	m.fill("trust", asPEM(b))
	for range 2 {
		requests := m.requestsFor("trust")
		m.pass(time.Minute)
		m.eventually("the agent tries to read it", func() (bool, error) { return m.requestsFor("trust") > requests, nil })
		m.reconcilesAgain("trust")
	}
	if entry, err := m.entry("trust"); err != nil || entry.Version != version || entry.Reason != "" || entry.State != v1alpha1.StateInstalled {
		t.Errorf("the node reports %+v (%v), want it as it was", entry, err)
	}
	if strings.Contains(m.log.text(), string(v1alpha1.ReasonInternalError)) { // a report comes later than a line of the log
		t.Error("it counts as a failure of the certificate")
	}
	m.configMapFails.Store(false)
	m.pass(time.Minute)
	m.trusts(trustedRoots, b)
}

func TestAConfigMapThatChangedWhileTheAgentWasAwayIsFollowed(t *testing.T) {
	m := newClusterMachine(t, "configmap-away")
	a, b := m.authority("a"), m.authority("b")
	m.allow("trust")
	m.fill("trust", asPEM(a))
	m.create("trust", m.fromConfigMap("trust"), keeping(0))
	m.trusts(trustedRoots, a)
	m.reportsOtherVersion("trust", "")
	m.stop()
	m.fill("trust", asPEM(b))
	m.start()
	m.trusts(trustedRoots, b)
}

// requestsFor is how many requests for a ConfigMap the machine's agent has made.
func (m *machine) requestsFor(name string) int {
	m.t.Helper()
	return m.configMapRequests.of(m.full(name))
}

// countRequests counts an agent's requests for ConfigMaps by name.
type countRequests struct {
	http.RoundTripper
	counts *reconcileCount
	fails  *atomic.Bool // answers with an error of the server
}

// RoundTrip implements http.RoundTripper.
func (c countRequests) RoundTrip(request *http.Request) (*http.Response, error) {
	if _, rest, found := strings.Cut(request.URL.Path, "/configmaps"); found {
		name := strings.TrimPrefix(rest, "/")
		if name == "" {
			name = strings.TrimPrefix(request.URL.Query().Get("fieldSelector"), "metadata.name=")
		}
		c.counts.count(name)
		if c.fails.Load() {
			return &http.Response{StatusCode: http.StatusInternalServerError, Body: http.NoBody, Request: request}, nil
		}
	}
	return c.RoundTripper.RoundTrip(request)
}

// A ConfigMap has no order of versions: what the node had last is kept, not what began to be valid last.
func TestOfTheVersionsOfAConfigMapTheLastIsKept(t *testing.T) {
	m := newClusterMachine(t, "configmap-history")
	a, b := m.authority("a"), m.authoritySince("b", time.Now().AddDate(-1, 0, 0))
	c := m.authority("c")
	m.allow("trust")
	m.fill("trust", asPEM(a))
	m.create("trust", m.fromConfigMap("trust"), keeping(1))
	m.trusts(trustedRoots, a)
	m.pass(time.Minute)
	m.fill("trust", asPEM(b))
	m.trusts(trustedRoots, a, b)
	m.pass(time.Minute)
	m.fill("trust", asPEM(c))
	m.trusts(trustedRoots, b, c)
	m.pass(time.Minute)
	m.fill("trust", asPEM(b)) // back
	m.trusts(trustedRoots, b, c)
	m.pass(time.Minute)
	m.fill("trust", asPEM(a))
	m.trusts(trustedRoots, a, b)
}

func TestWithoutAClusterAConfigMapIsUnsupported(t *testing.T) {
	if !withFiles {
		t.Skip("about a machine without a cluster")
	}
	m := newMachine(t, "configmap-files")
	m.create("trust", m.fromConfigMap("trust"))
	m.fails("trust", v1alpha1.ReasonUnsupported, "a machine without a cluster has no ConfigMaps", "url")
}
