package keyvault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestEveryRefusalIsReturnedUntilHeal(t *testing.T) {
	s, vault, client := newFaulty(t)
	for _, kind := range Refusals {
		t.Run(string(kind), func(t *testing.T) {
			vault.Refuse(kind, -1)
			status := refusalAnswers[kind](vault, s.tenant.clientID, request{name: "word"}).status
			refusal := refused(t, client, "word", "", status)
			if refusal.ErrorCode == "" || refusal.RawResponse.Header.Get("x-ms-request-id") == "" {
				t.Errorf("got %v, want Key Vault's form with a request id", refusal)
			}
			vault.Heal()
			get(t, client, "word", "")
		})
	}
	if len(refusalAnswers) != len(Refusals) {
		t.Errorf("%d responses for %d refusals", len(refusalAnswers), len(Refusals))
	}
}

func TestEveryLoginRefusalIsReturnedUntilHeal(t *testing.T) {
	s := ForTest(t, "shop")
	s.Vault("shop").PutRaw("word", "", "open")
	client := newClient(t, s, "shop")
	for _, kind := range LoginRefusals {
		s.RefuseLogin(s.ClientID(), kind)
		_, err := client.GetSecret(t.Context(), "word", "", nil)
		mustContain(t, err, fmt.Sprintf("AADSTS%d: ", kind), "trace_id")
	}
	s.HealLogin()
	get(t, client, "word", "")
	if len(loginTexts) != len(LoginRefusals) {
		t.Errorf("%d texts for %d refusals", len(loginTexts), len(LoginRefusals))
	}
}

func TestAVaultPresentsOtherCertificates(t *testing.T) {
	s, vault, _ := newFaulty(t)
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var stranger x509.UnknownAuthorityError
	wanted := map[ServerCertificate]func(error) bool{
		Past:        func(err error) bool { return errors.As(err, &invalid) && time.Now().After(invalid.Cert.NotAfter) },
		Future:      func(err error) bool { return errors.As(err, &invalid) && time.Now().Before(invalid.Cert.NotBefore) },
		OtherName:   func(err error) bool { return errors.As(err, &name) },
		UntrustedCA: func(err error) bool { return errors.As(err, &stranger) },
	}
	for _, kind := range ServerCertificates {
		if err := vault.Present(kind); err != nil {
			t.Fatal(err)
		}
		if _, err := newClient(t, s, "shop").GetSecret(t.Context(), "word", "", nil); !wanted[kind](err) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	if err := vault.Present(Good); err != nil {
		t.Fatal(err)
	}
	get(t, newClient(t, s, "shop"), "word", "")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CAPEM())
	address := fmt.Sprintf("127.0.0.1:%d", vault.listener.port)
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: "shop.localhost", MinVersion: tls.VersionTLS12}}
	connection, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("a name below localhost: %v", err)
	}
	_ = connection.Close() // only its handshake is tested
}

func TestAPortalRespondsInsteadOfTheVault(t *testing.T) {
	_, vault, client := newFaulty(t)
	vault.BlockPage(1)
	if refusal := refused(t, client, "word", "", http.StatusForbidden); refusal.RawResponse.Header.Get("x-ms-request-id") != "" {
		t.Errorf("got %v, want nothing of Key Vault in it", refusal)
	}
	vault.SkewClock(-time.Hour)
	vault.Refuse(TokenExpired, -1)
	refusal := refused(t, client, "word", "", http.StatusUnauthorized)
	date, err := http.ParseTime(refusal.RawResponse.Header.Get("Date"))
	if err != nil || time.Since(date) < time.Hour {
		t.Errorf("got the date %s, error %v, want an hour ago", date, err)
	}
}

func TestASlowBodyIsNotReadInTime(t *testing.T) {
	_, vault, client := newFaulty(t)
	vault.Drip(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.GetSecret(ctx, "word", "", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	vault.Heal()
	get(t, client, "word", "")
}
