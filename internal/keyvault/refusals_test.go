package keyvault

import (
	"net/http"
	"testing"
	"time"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestASecretOutsideItsValidityIsReadWithItsDates(t *testing.T) {
	f := newFixture(t)
	from := time.Now().Add(time.Hour).Truncate(time.Second)
	check(t, f.vault.SetValidity("word", "", from, from.Add(time.Hour)))
	secret := f.mustRead(t)
	if secret.NotBefore == nil || !secret.NotBefore.Equal(from) || secret.Expires == nil || !secret.Expires.Equal(from.Add(time.Hour)) {
		t.Errorf("got %v to %v, want %s and an hour later", secret.NotBefore, secret.Expires, from)
	}
}

func TestARefusedRequestIsSentOnce(t *testing.T) {
	f := newFixture(t)
	f.vault.FailWith(http.StatusServiceUnavailable, "ServiceUnavailable", "", "", -1)
	_, _ = f.read(t, f.vault, "word") // its reason has its own test
	if got := f.vault.Stats().ByCode[http.StatusServiceUnavailable]; got != 1 {
		t.Errorf("got %d requests, want 1: when to try again is the reconciler's decision", got)
	}
}
