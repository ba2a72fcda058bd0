package bundle

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrintedFormsShowThumbprintsOnly(t *testing.T) {
	f := newFamily(t, newEC())
	b := &Bundle{Leaf: f.leaf.cert, Chain: []*x509.Certificate{f.intermediate.cert, f.root.cert}, Key: f.leaf.key}
	leaf, intermediate, root := thumbprint(f.leaf.cert), thumbprint(f.intermediate.cert), thumbprint(f.root.cert)
	want := fmt.Sprintf("bundle(leaf %s, chain %s %s, with key)", leaf, intermediate, root)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.3v"} {
		if diff := cmp.Diff([]string{want, want}, []string{fmt.Sprintf(verb, b), fmt.Sprintf(verb, *b)}); diff != "" {
			t.Errorf("%s: %s", verb, diff)
		}
	}
	if b.GoString() != want || fmt.Sprint(&Bundle{}) != "bundle()" {
		t.Error("another form")
	}
	wantJSON := fmt.Sprintf(`{"leaf":%q,"chain":[%q,%q],"hasKey":true}`, leaf, intermediate, root)
	wantEmpty := `{"chain":[],"hasKey":false}`
	got := []string{string(must(json.Marshal(b))), string(must(json.Marshal(*b))), string(must(json.Marshal(Bundle{})))}
	if diff := cmp.Diff([]string{wantJSON, wantJSON, wantEmpty}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoPrintedFormHoldsANumberOfTheKey(t *testing.T) {
	f := newFamily(t, newEC())
	rsaKey := newRSA(2048)
	ecKey := f.leaf.key.(*ecdsa.PrivateKey)
	numbers := append([]*big.Int{rsaKey.D, rsaKey.Precomputed.Dp, rsaKey.Precomputed.Qinv, ecKey.D}, rsaKey.Primes...) //nolint:staticcheck // as in wipe.go
	for _, b := range []*Bundle{{Leaf: f.leaf.cert, Key: ecKey}, {Leaf: f.leaf.cert, Key: rsaKey}} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "bundle", b)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "bundle", *b)
		outer := struct {
			Exported *Bundle
			hidden   Bundle
			pointer  *Bundle
		}{b, *b, b}
		fmt.Fprintf(&log, "%v %+v %#v %x %d %s", b, *b, b, *b, b, errors.Join(fmt.Errorf("%v", b)))
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d"} {
			fmt.Fprintf(&log, verb, outer)
		}
		log.Write(must(json.Marshal(outer)))
		for _, n := range numbers {
			for _, form := range []string{n.String(), n.Text(16), strings.Trim(fmt.Sprint(n.Bits()), "[]"), fmt.Sprintf("%d", n.Bytes())} {
				if strings.Contains(strings.ToLower(log.String()), form[:min(16, len(form))]) {
					t.Errorf("%T: a number of the key is in %s", b.Key, log.String())
				}
			}
		}
	}
}
