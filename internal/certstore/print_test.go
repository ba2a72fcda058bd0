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
	var told strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, one := range []any{item, &item, []Item{item}, struct{ Item Item }{item}} {
			fmt.Fprintf(&told, verb+"\n", one)
		}
	}
	slog.New(slog.NewJSONHandler(&told, nil)).Info("json", "item", item)
	encoded, err := json.Marshal([]any{item, &item})
	if err != nil {
		t.Fatal(err)
	}
	told.Write(encoded)
	if want := "item(" + Thumbprint(item.Certificate) + " with key)"; strings.Count(told.String(), want) != 23 {
		t.Errorf("got %s, want %q 23 times", told.String(), want)
	}
	if number := key.D.String(); strings.Contains(told.String(), number[:20]) { //nolint:staticcheck // D is what printing the key shows
		t.Error("the key was told")
	}
}
