package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

func TestNoPrintedFormHoldsTheSecret(t *testing.T) {
	secret := Secret{Value: []byte(secretValue), ContentType: "text/plain", Version: "1"}
	holder := struct {
		Exported Secret
		Pointer  *Secret
		Many     []Secret
	}{secret, &secret, []Secret{secret}}
	refusal := &exchange.RefusalError{Status: 200, Body: []byte(secretValue)}
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, one := range []any{secret, &secret, holder, []Secret{secret}, map[string]Secret{"a": secret}, errors.Join(refusal)} {
			fmt.Fprintf(&printed, verb+"\n", one)
		}
	}
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("json", "secret", secret, "holder", holder)
	slog.New(slog.NewTextHandler(&printed, nil)).Info("text", "secret", &secret, "holder", holder)
	encoded, err := json.Marshal(holder)
	check(t, err)
	printed.Write(encoded)
	if want := `secret(version 1, "text/plain")`; !strings.Contains(printed.String(), want) {
		t.Errorf("%q was not printed", want)
	}
	for _, form := range forms(secretValue) {
		if strings.Contains(printed.String(), form) {
			t.Errorf("%q was printed", form)
		}
	}
}

// forms are the ways in which Go prints a text's bytes.
func forms(text string) []string {
	const enough = 20 // characters of a form's beginning
	all := []string{
		text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), strings.Trim(fmt.Sprintf("%d", []byte(text)), "[]"),
		strings.TrimPrefix(fmt.Sprintf("%#v", []byte(text)), "[]byte{"), fmt.Sprintf("%q", text)[1:],
	}
	for i, form := range all {
		all[i] = form[:enough]
	}
	return all
}
