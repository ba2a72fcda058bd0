package certstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNoPrintedFormOfAnItemHoldsItsKey(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	item := Item{Certificate: &x509.Certificate{Raw: []byte("a certificate")}, Key: key}
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, one := range []any{item, &item, []Item{item}, struct{ Item Item }{item}} {
			fmt.Fprintf(&printed, verb+"\n", one)
		}
	}
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("json", "item", item)
	encoded, err := json.Marshal([]any{item, &item})
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(encoded)
	if want := "item(" + Thumbprint(item.Certificate) + " with key)"; strings.Count(printed.String(), want) != 23 {
		t.Errorf("got %s, want %q 23 times", printed.String(), want)
	}
	if number := key.D.String(); strings.Contains(printed.String(), number[:20]) { //nolint:staticcheck // D is what printing the key shows
		t.Error("the key was printed")
	}
}
