package agent_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

var (
	trustedRoots  = certstore.Ref{Location: certstore.LocalMachine, Name: "Root"}
	trustedPeople = certstore.Ref{Location: certstore.LocalMachine, Name: "TrustedPeople"}
)

// authority makes the certificate of a private root CA.
func (m *machine) authority(name string) *x509.Certificate {
	m.t.Helper()
	return m.authoritySince(name, time.Now().Add(-time.Hour))
}

func (m *machine) authoritySince(name string, notBefore time.Time) *x509.Certificate {
	m.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	m.must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: notBefore, NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	m.must(err)
	certificate, err := x509.ParseCertificate(raw)
	m.must(err)
	return certificate
}

// publish stores certificates without a key in the vault, as PEM.
func (m *machine) publish(name string, certificates ...*x509.Certificate) {
	m.t.Helper()
	var text bytes.Buffer
	for _, one := range certificates {
		m.must(pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: one.Raw}))
	}
	m.vault.PutRaw(m.full(name), "application/x-pem-file", text.String())
}

// publishPKCS7 stores certificates as a .p7b file.
func (m *machine) publishPKCS7(name string, certificates ...*x509.Certificate) {
	m.t.Helper()
	var raw []byte
	for _, one := range certificates {
		raw = append(raw, one.Raw...)
	}
	file, err := pkcs7.DegenerateCertificate(raw)
	m.must(err)
	m.vault.PutRaw(m.full(name), "application/x-pkcs7-certificates", base64.StdEncoding.EncodeToString(file))
}

// trusts waits until a store holds exactly these certificates, none with a key, each there to be trusted.
func (m *machine) trusts(ref certstore.Ref, certificates ...*x509.Certificate) {
	m.t.Helper()
	var want []string
	for _, one := range certificates {
		want = append(want, certstore.Thumbprint(one))
	}
	slices.Sort(want)
	m.eventually(fmt.Sprintf("%s trusts %v", ref, want), func() (bool, error) {
		var got []string
		for thumbprint, entry := range m.held(ref) {
			if entry.Key != certstore.KeyNone || entry.Access != "" || entry.Mark == nil || entry.Mark.Role != certstore.RoleTrusted {
				m.t.Errorf("%s holds %s with key %s, access %q and mark %+v", ref, thumbprint, entry.Key, entry.Access, entry.Mark)
			}
			got = append(got, thumbprint)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return false, fmt.Errorf("it trusts %v", got)
		}
		return true, nil
	})
}

func TestAPrivateRootIsTrustedAndFollowsItsSecret(t *testing.T) {
	m := newMachine(t, "trust")
	first, second := m.authority("private root 1"), m.authority("private root 2")
	m.publish("trust", first)
	m.create("trust", inStore("Root"), keeping(0), deleteWhenGone)
	entry := m.installed("trust", certstore.Thumbprint(first))
	if entry.NotAfter == nil || !entry.NotAfter.Time.Equal(first.NotAfter) {
		t.Errorf("the node reports %+v, want the end of %s", entry, first.NotAfter)
	}
	m.trusts(trustedRoots, first)

	m.publishPKCS7("trust", second)
	m.nextSlot()
	m.installed("trust", certstore.Thumbprint(second))
	m.trusts(trustedRoots, second)
	writes := m.store.written(0)
	if last := writes[len(writes)-1]; last != "Remove "+trustedRoots.String()+" "+certstore.Thumbprint(first) {
		t.Errorf("the last write is %q, want the removal of the first root behind the second's installation", last)
	}
	m.delete("trust")
	m.gone("trust")
	m.trusts(trustedRoots)
}

func TestOfAServedCertificateEachTrustStoreTakesItsOwnAndNoKey(t *testing.T) {
	m := newMachine(t, "trust-chain")
	web := m.put("web", vaulttest.CertificateOptions{WithChain: true})
	secret := m.secret("web")
	parsed, err := bundle.Parse(secret.ContentType, secret.Value, time.Now())
	m.must(err)
	intermediate, root := parsed.Chain[0], parsed.Chain[1]
	for name, store := range map[string]string{"roots": "Root", "authorities": "CA", "people": "TrustedPeople"} {
		m.create(name, of(m.url("web")), inStore(store))
	}
	m.installed("roots", certstore.Thumbprint(root))
	m.installed("authorities", certstore.Thumbprint(intermediate))
	m.installed("people", web)
	m.trusts(trustedRoots, root)
	m.trusts(ca, intermediate, root)
	m.trusts(trustedPeople, parsed.Leaf)
}

func TestOneOfSeveralTrustedCertificatesIsRepairedWhenRemoved(t *testing.T) {
	for position, which := range []string{"first", "second"} {
		t.Run(which, func(t *testing.T) {
			m := newMachine(t, "trust-"+which)
			roots := []*x509.Certificate{m.authority("private root 1"), m.authority("private root 2")}
			m.publish("trust", roots...)
			m.create("trust", inStore("Root"))
			m.installed("trust", certstore.Thumbprint(roots[0]))
			m.trusts(trustedRoots, roots...)
			m.removeBehind(trustedRoots, certstore.Thumbprint(roots[position]))
			m.trusts(trustedRoots, roots...)
			m.installed("trust", certstore.Thumbprint(roots[0]))
		})
	}
}

func TestARootThatAnotherToolTrustsIsUsedAndStays(t *testing.T) {
	m := newMachine(t, "trust-foreign")
	root := m.authority("private root")
	m.publish("trust", root)
	m.putByHandIn(trustedRoots, certstore.Item{Certificate: root})
	m.create("trust", inStore("Root"), deleteWhenGone)
	m.installed("trust", certstore.Thumbprint(root))
	m.delete("trust")
	m.gone("trust")
	m.storeIsRead()
	if entry, ok := m.held(trustedRoots)[certstore.Thumbprint(root)]; !ok || entry.Mark != nil {
		t.Errorf("it was changed or has gone: %+v", entry)
	}
}

func TestASecretWithoutAKeyIsMissingItInMYAndOneWithoutARootIsMalformed(t *testing.T) {
	m := newMachine(t, "trust-not")
	m.publishPKCS7("served", m.authority("private root"))
	m.put("rootless", vaulttest.CertificateOptions{})
	m.create("served")
	m.create("rootless", inStore("Root"))
	m.fails("served", v1alpha1.ReasonPrivateKeyMissing, "no private key")
	m.fails("rootless", v1alpha1.ReasonMalformedSecret, "self-signed certificate authority", "Root")
	if writes := m.store.written(0); len(writes) != 0 {
		t.Errorf("the store was written: %q", strings.Join(writes, ", "))
	}
}
