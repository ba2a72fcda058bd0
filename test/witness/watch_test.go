package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

func one(t *testing.T, name string, from, to time.Time, keyless bool) certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate{leaf, my, func(message []byte) ([]byte, error) {
		if keyless {
			return nil, errors.New("there is no key")
		}
		digest := sha256.Sum256(message)
		return ecdsa.SignASN1(rand.Reader, private, digest[:])
	}}
}

func TestAnObserverSaysWhatIsWrongTwiceInARow(t *testing.T) {
	now := time.Now()
	good := one(t, "web", now.Add(-time.Hour), now.Add(time.Hour), false)
	expired := one(t, "web", now.Add(-2*time.Hour), now.Add(-time.Hour), false)
	keyless := one(t, "web", now.Add(-time.Hour), now.Add(time.Hour), true)
	other := one(t, "other", now.Add(-time.Hour), now.Add(time.Hour), true)
	tests := []struct {
		name  string
		looks [][]certificate
		want  string // of its only problem; empty for none
	}{
		{"all is well", [][]certificate{{good, other}, {good, other}}, ""},
		{"missing at one look", [][]certificate{{good, other}, {other}, {good, other}}, ""},
		{"missing at two looks", [][]certificate{{good, other}, {other}, {other}, {other}}, "missing web"},
		{"only an expired one", [][]certificate{{expired, other}, {expired, other}}, "missing web"},
		{"a good and an expired one", [][]certificate{{good, expired, other}, {good, expired, other}}, ""},
		{"one without its key beside a good one", [][]certificate{{good, keyless, other}, {good, keyless, other}}, "keyless"},
		{"that of others is gone", [][]certificate{{good, other}, {good}, {good}}, "others"},
		{"others have one more", [][]certificate{{good}, {good, other}, {good, other}}, "others"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := &watcher{seen: map[string]bool{}, names: []string{"web"}}
			for _, all := range test.looks {
				w.look(all, []string{"other"}, now)
			}
			if test.want == "" && len(w.Problems) > 0 || test.want != "" && (len(w.Problems) != 1 || !strings.Contains(w.Problems[0], test.want)) {
				t.Errorf("the problems are %q, want %q", w.Problems, test.want)
			}
		})
	}
}
