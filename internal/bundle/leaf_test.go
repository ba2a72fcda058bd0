package bundle

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// lasting sets a validity in months relative to the time of the tests.
func lasting(from, to int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = moment.AddDate(0, from, 0), moment.AddDate(0, to, 0)
	}
}

func TestTheBestOfSeveralCertificatesOfAKeyIsTheLeaf(t *testing.T) {
	f := newFamily(t, newEC())
	key := f.leaf.key
	self := func(from, to int) *pair { return issue(t, "placeholder", key, nil, lasting(from, to)) }
	issued := func(name string, from, to int) *pair { return issue(t, name, key, f.intermediate, lasting(from, to)) }
	authority := func(p *pair) *pair {
		return issue(t, "sub CA", key, p, func(c *x509.Certificate) { ca(c); lasting(-2, 12)(c) })
	}
	for name, test := range map[string]struct {
		certs []*pair
		want  string
	}{
		"the issued one before a placeholder that starts later":           {[]*pair{issued("issued", -1, 12), self(0, 12)}, "issued"},
		"the issued one before a placeholder, whatever their order":       {[]*pair{self(0, 12), issued("issued", -1, 12)}, "issued"},
		"a valid placeholder before an issued one that has expired":       {[]*pair{issued("issued", -12, -1), self(-2, 12)}, "placeholder"},
		"a valid placeholder before an issued one that is not valid yet":  {[]*pair{issued("issued", 1, 12), self(-2, 12)}, "placeholder"},
		"the valid one before the one that is not valid yet":              {[]*pair{issued("future", 1, 24), issued("now", -1, 12)}, "now"},
		"the valid one before the expired one that starts later":          {[]*pair{issued("expired", -3, -1), issued("now", -4, 12)}, "now"},
		"of valid ones the one that starts last":                          {[]*pair{issued("first", -3, 12), issued("last", -1, 6), issued("second", -2, 24)}, "last"},
		"of certificates that are not valid now the one that starts last": {[]*pair{issued("expired", -12, -1), issued("future", 1, 12)}, "future"},
		"an issued CA before the placeholder that its request came from":  {[]*pair{self(-1, 12), authority(f.root)}, "sub CA"},
		"a certificate before a self-signed CA of its key":                {[]*pair{authority(nil), issued("issued", -3, 12)}, "issued"},
		"a certificate before an issued CA of its key that starts later":  {[]*pair{authority(f.root), issued("issued", -3, 12)}, "issued"},
		"only a placeholder: that one":                                    {[]*pair{self(-1, 12), f.root}, "placeholder"},
		"of two placeholders the later":                                   {[]*pair{self(-3, 12), issue(t, "second", key, nil, lasting(-1, 12))}, "second"},
		"an expired placeholder does not hide an expired issued one":      {[]*pair{self(-6, -1), issued("issued", -12, -2)}, "issued"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePEM, join(keyPEM(key), certPEM(test.certs...)), moment)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(b)[0]; got != test.want {
				t.Errorf("the leaf is %s, want %s", got, test.want)
			}
		})
	}
}

func TestTheTimeDecidesBetweenCertificatesOfAKey(t *testing.T) {
	f := newFamily(t, newEC())
	before := issue(t, "before", f.leaf.key, f.intermediate, lasting(-3, 2))
	after := issue(t, "after", f.leaf.key, f.intermediate, lasting(1, 9))
	for at, want := range map[time.Time]string{
		before.cert.NotBefore: "before", moment: "before", after.cert.NotBefore.Add(-time.Second): "before",
		after.cert.NotBefore: "after", before.cert.NotAfter.Add(time.Second): "after", after.cert.NotAfter: "after",
	} {
		b, err := Parse(ContentTypePEM, join(keyPEM(f.leaf.key), certPEM(before, after)), at)
		if err != nil || names(b)[0] != want {
			t.Errorf("at %s the leaf is %v (%v), want %s", at, b, err, want)
		}
	}
}

func TestASignatureWithSHA1DistinguishesACrossCertificateFromARoot(t *testing.T) {
	for name, keys := range map[string][2]crypto.Signer{"ECDSA": {newEC(), newEC()}, "RSA": {newRSA(2048), newRSA(2048)}} {
		algorithm := x509.ECDSAWithSHA1
		if name == "RSA" {
			algorithm = x509.SHA1WithRSA
			keys[1] = must(rsa.GenerateKey(rand.Reader, 2048))
		}
		old := func(c *x509.Certificate) { ca(c); c.SignatureAlgorithm = algorithm }
		before, after := issue(t, "Root", keys[0], nil, old), issue(t, "Root", keys[1], nil, old)
		cross := issue(t, "Root", after.key, before, old)
		for _, c := range []*pair{before, after, cross} { // old roots have no key identifiers
			c.cert.SubjectKeyId, c.cert.AuthorityKeyId = nil, nil
		}
		if x509cert.SelfSigned(cross.cert) || !x509cert.SelfSigned(before.cert) || !x509cert.SelfSigned(after.cert) || !x509cert.Issued(before.cert, cross.cert) {
			t.Errorf("%s: the name and not the signature decided", name)
		}
	}
}

// rollover is an authority whose key is being replaced: the new key is certified by the old one under the same name.
type rollover struct{ before, after, cross, issuing, leaf *pair }

func newRollover(t testing.TB, change func(*x509.Certificate)) rollover {
	t.Helper()
	with := func(more func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) { ca(c); change(c); more(c) }
	}
	before := issue(t, "Corp Root", newEC(), nil, with(lasting(-60, 12)))
	after := issue(t, "Corp Root", newEC(), nil, with(lasting(-2, 60)))
	cross := issue(t, "Corp Root", after.key, before, with(lasting(-1, 12)))
	issuing := issue(t, "Corp Issuing", newEC(), after, with(lasting(-1, 24)))
	return rollover{before, after, cross, issuing, issue(t, "leaf", newEC(), issuing, lasting(-1, 12))}
}

func TestAChainGoesThroughTheCrossCertificateToTheRoot(t *testing.T) {
	for form, change := range map[string]func(*x509.Certificate){
		"with key identifiers": func(*x509.Certificate) {},
		"signed with SHA-1":    func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 },
	} {
		r := newRollover(t, change)
		for name, test := range map[string]struct{ certs, want []*pair }{
			"in order":             {[]*pair{r.leaf, r.issuing, r.cross, r.before}, []*pair{r.leaf, r.issuing, r.cross, r.before}},
			"root first":           {[]*pair{r.before, r.cross, r.issuing, r.leaf}, []*pair{r.leaf, r.issuing, r.cross, r.before}},
			"with the new root":    {[]*pair{r.before, r.after, r.leaf, r.cross, r.issuing}, []*pair{r.leaf, r.issuing, r.cross, r.before, r.after}},
			"without the old root": {[]*pair{r.cross, r.issuing, r.leaf}, []*pair{r.leaf, r.issuing, r.cross}},
		} {
			t.Run(form+" "+name, func(t *testing.T) {
				b, err := Parse(ContentTypePEM, join(keyPEM(r.leaf.key), certPEM(test.certs...)), moment)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(thumbprints(certsOf(test.want)), thumbprints(b.Certificates())); diff != "" {
					t.Error(diff)
				}
			})
		}
		if x509cert.SelfSigned(r.cross.cert) || !x509cert.SelfSigned(r.before.cert) || !x509cert.SelfSigned(r.after.cert) {
			t.Error(form + ": the name and not the signature decided")
		}
	}
}

func TestACrossCertificateIsNotTheEndEntityOfABundleWithoutKey(t *testing.T) {
	r := newRollover(t, func(*x509.Certificate) {})
	b, err := Parse(ContentTypePEM, certPEM(r.cross, r.before, r.after), moment)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Leaf.Equal(r.after.cert) {
		t.Errorf("the end entity is %s", thumbprint(b.Leaf))
	}
}

func TestAValidIssuerIsPreferredToAnExpiredOrFutureOneOfItsKey(t *testing.T) {
	f := newFamily(t, newEC())
	again := func(from, to int) *pair {
		return issue(t, "intermediate", f.intermediate.key, f.root, func(c *x509.Certificate) { ca(c); lasting(from, to)(c) })
	}
	expired, now, future := again(-1, 0), again(-2, 12), again(1, 12)
	got := chainOf(f.leaf.cert, certsOf([]*pair{expired, future, now}), moment.Add(time.Second))
	if !got[0].Equal(now.cert) {
		t.Errorf("the issuer is the one from %s", got[0].NotBefore)
	}
}
