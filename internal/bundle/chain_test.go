package bundle

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

func TestLeafIsFoundByItsKeyAndTheChainByItsIssuers(t *testing.T) {
	f := newFamily(t, newEC())
	other := newFamily(t, newEC())
	renewed := issue(t, "renewed", f.leaf.key, f.intermediate, later)
	caOfLeafKey := issue(t, "ca of the leaf's key", f.leaf.key, nil, func(c *x509.Certificate) { ca(c); later(c) })
	self := issue(t, "self-signed", newEC(), nil, nil)
	crossed := issue(t, "intermediate", f.intermediate.key, other.root, func(c *x509.Certificate) { ca(c); later(c) })
	impostor := issue(t, "intermediate", newEC(), f.root, func(c *x509.Certificate) { ca(c); later(c) })
	for name, test := range map[string]struct {
		key   crypto.Signer
		certs []*pair
		want  []string
	}{
		"leaf first":                             {f.leaf.key, []*pair{f.leaf, f.intermediate, f.root}, []string{"leaf", "intermediate", "root"}},
		"root first":                             {f.leaf.key, []*pair{f.root, f.intermediate, f.leaf}, []string{"leaf", "intermediate", "root"}},
		"others follow in their order":           {f.leaf.key, []*pair{other.root, self, f.root, f.leaf, f.intermediate}, []string{"leaf", "intermediate", "root", "root", "self-signed"}},
		"duplicates are dropped":                 {f.leaf.key, []*pair{f.leaf, f.root, f.leaf, f.root}, []string{"leaf", "root"}},
		"a missing issuer ends the chain":        {f.leaf.key, []*pair{f.root, f.leaf}, []string{"leaf", "root"}},
		"self-signed has no chain":               {self.key, []*pair{self}, []string{"self-signed"}},
		"the renewed one is the leaf":            {f.leaf.key, []*pair{f.leaf, renewed, f.intermediate}, []string{"renewed", "intermediate", "leaf"}},
		"a CA with the same key is not the leaf": {f.leaf.key, []*pair{caOfLeafKey, f.leaf}, []string{"leaf", "ca of the leaf's key"}},
		"an issuer's name is not enough":         {f.leaf.key, []*pair{f.leaf, impostor, f.root, f.intermediate}, []string{"leaf", "intermediate", "root", "intermediate"}},
		"the later of two issuers is taken":      {f.leaf.key, []*pair{f.leaf, f.intermediate, crossed, f.root, other.root}, []string{"leaf", "intermediate", "root", "intermediate", "root"}},
		"a self-signed root ends the chain":      {f.intermediate.key, []*pair{f.intermediate, f.root, other.root}, []string{"intermediate", "root", "root"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePEM, join(certPEM(test.certs...), keyPEM(test.key)), moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, names(b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBundleWithoutKeyEndsInTheCertificateThatIssuedNoOther(t *testing.T) {
	f := newFamily(t, newEC())
	other := newFamily(t, newEC())
	second := issue(t, "second", newEC(), f.intermediate, nil)
	crossed := issue(t, "root", f.root.key, other.root, later)
	back := issue(t, "root", other.root.key, f.root, ca)
	for name, test := range map[string]struct {
		certs []*pair
		want  []*pair
	}{
		"one root":                                 {[]*pair{f.root}, []*pair{f.root}},
		"leaf first":                               {[]*pair{f.leaf, f.intermediate, f.root}, []*pair{f.leaf, f.intermediate, f.root}},
		"root first":                               {[]*pair{f.root, f.intermediate, f.leaf}, []*pair{f.leaf, f.intermediate, f.root}},
		"in the middle, and twice":                 {[]*pair{f.root, f.leaf, f.root, f.intermediate, f.leaf}, []*pair{f.leaf, f.intermediate, f.root}},
		"a CA without its issued ones":             {[]*pair{f.root, f.intermediate}, []*pair{f.intermediate, f.root}},
		"roots only: the first":                    {[]*pair{other.root, f.root}, []*pair{other.root, f.root}},
		"a root in addition to a chain: the first": {[]*pair{other.root, f.root, f.intermediate}, []*pair{other.root, f.root, f.intermediate}},
		"two leaves: the first":                    {[]*pair{second, f.root, f.leaf, f.intermediate}, []*pair{second, f.intermediate, f.root, f.leaf}},
		"two leaves: the first, though it is a CA": {[]*pair{f.root, second, f.leaf, f.intermediate}, []*pair{f.root, second, f.leaf, f.intermediate}},
		"each issued the other: the first":         {[]*pair{crossed, back}, []*pair{crossed, back}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePEM, certPEM(test.certs...), moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(thumbprints(certsOf(test.want)), thumbprints(b.Certificates())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCertificatesOfAnIncompleteBundle(t *testing.T) {
	f := newFamily(t, newEC())
	chain := []*x509.Certificate{f.intermediate.cert, f.root.cert}
	got := (&Bundle{Chain: chain}).Certificates()
	if diff := cmp.Diff(thumbprints(chain), thumbprints(got)); diff != "" {
		t.Error(diff)
	}
	if got[0] = nil; chain[0] == nil {
		t.Error("the chain itself was returned")
	}
	if got := (&Bundle{}).Certificates(); len(got) != 0 {
		t.Errorf("got %d certificates", len(got))
	}
}

func later(c *x509.Certificate) { c.NotBefore = c.NotBefore.AddDate(0, 1, 0) }

func TestACrossSignedRootIsUsedOnlyIfItIsNewer(t *testing.T) {
	f, other := newFamily(t, newEC()), newFamily(t, newEC())
	newer := issue(t, "root", f.root.key, other.root, func(c *x509.Certificate) { ca(c); later(c) })
	older := issue(t, "root", f.root.key, other.root, func(c *x509.Certificate) { ca(c); c.NotBefore = start.AddDate(-1, 0, 0) })
	for name, test := range map[string]struct{ certs, want []*pair }{
		"newer than the self-signed one": {[]*pair{f.root, other.root, newer, f.leaf, f.intermediate}, []*pair{f.intermediate, newer, other.root, f.root}},
		"older than the self-signed one": {[]*pair{other.root, older, f.root, f.leaf, f.intermediate}, []*pair{f.intermediate, f.root, other.root, older}},
	} {
		t.Run(name, func(t *testing.T) {
			got := chainOf(f.leaf.cert, certsOf(test.certs), moment)
			if diff := cmp.Diff(thumbprints(certsOf(test.want)), thumbprints(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func certsOf(pairs []*pair) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, p := range pairs {
		certs = append(certs, p.cert)
	}
	return certs
}

func TestACertificateWithAnotherKeyIdentifierIsNotTheIssuer(t *testing.T) {
	f := newFamily(t, newEC())
	other := *f.intermediate.cert
	other.SubjectKeyId = []byte{1}
	if x509cert.Issued(&other, f.leaf.cert) || !x509cert.Issued(f.intermediate.cert, f.leaf.cert) {
		t.Error("the key identifier did not decide")
	}
}

func TestIssuerWithoutKeyIdentifierIsFoundBySignature(t *testing.T) {
	bare := func(c *x509.Certificate) { ca(c); c.SubjectKeyId = nil }
	root := issue(t, "root", newEC(), nil, bare)
	root.cert.SubjectKeyId = nil
	impostor := issue(t, "root", newEC(), nil, bare)
	impostor.cert.SubjectKeyId = nil
	leaf := issue(t, "leaf", newEC(), root, nil)
	if x509cert.Issued(impostor.cert, leaf.cert) || !x509cert.Issued(root.cert, leaf.cert) {
		t.Error("the signature did not decide")
	}
}

func TestASignatureThatGoCannotVerifyKeepsTheChain(t *testing.T) {
	f := newFamily(t, newEC())
	insecure := *f.leaf.cert
	insecure.SignatureAlgorithm = x509.MD5WithRSA
	unknown := *f.leaf.cert
	unknown.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	if !x509cert.Issued(f.intermediate.cert, &insecure) || !x509cert.Issued(f.intermediate.cert, &unknown) {
		t.Error("a signature that cannot be verified broke the chain")
	}
}

func TestGiantIssuerKeyIsNotUsedToVerify(t *testing.T) {
	decoded, _ := pem.Decode(file(t, "rsa-8192.key"))
	key := must(x509.ParsePKCS8PrivateKey(decoded.Bytes)).(crypto.Signer)
	root := issue(t, "root", key, nil, ca)
	leaf := issue(t, "leaf", newEC(), root, nil)
	if !x509cert.Issued(root.cert, leaf.cert) {
		t.Error("8192 bits are verified")
	}
	giant := *root.cert
	giant.PublicKey = giantPublicKey()
	forged := *leaf.cert
	forged.Signature = []byte{1}
	if !x509cert.Issued(&giant, &forged) {
		t.Error("a million bits were used")
	}
}

func TestAKeyThatMatchesNoCertificate(t *testing.T) {
	f := newFamily(t, newEC())
	_, err := Parse(ContentTypePEM, join(keyPEM(newEC()), certPEM(f.leaf, f.root)), moment)
	wantError(t, err, KeyMismatch, "matches none of its certificates")
	if leafOf(incomparable{f.leaf.key}, []*x509.Certificate{f.leaf.cert}, moment) != nil {
		t.Error("a key that cannot be compared has a leaf")
	}
}

// incomparable is a key whose public key cannot be compared.
type incomparable struct{ crypto.Signer }

func (incomparable) Public() crypto.PublicKey { return 1 }
