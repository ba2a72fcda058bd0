package keyvault

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestANetworkFailureHasItsReason(t *testing.T) {
	tests := []struct {
		name    string
		arrange func(*testing.T, *fixture) string // returns the URL to read; the vault's if empty
		want    v1alpha1.Reason
		says    []string
	}{
		{"a vault that does not listen", func(_ *testing.T, f *fixture) string { f.vault.Stop(); return "" },
			v1alpha1.ReasonVaultUnreachable, []string{"no connection: ", "check the network path"}},
		{"a CA that nobody trusts", func(t *testing.T, f *fixture) string {
			options := f.options()
			options.CABundle = nil
			f.clients, f.wire = newClients(t, options)
			return ""
		}, v1alpha1.ReasonTLSFailure, []string{"unknown authority", "--ca-bundle"}},
		{"a certificate for another name", func(t *testing.T, f *fixture) string {
			return "https://localhost:" + portOf(f.frontend(t, http.NotFoundHandler())) + "/secrets/word"
		}, v1alpha1.ReasonTLSFailure, []string{"valid for ", "not localhost"}},
		{"a server without TLS", func(t *testing.T, _ *fixture) string {
			server := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(server.Close)
			return "https://localhost:" + portOf(server) + "/secrets/word"
		}, v1alpha1.ReasonTLSFailure, []string{"TLS: "}},
		// A label has at most 63 characters (RFC 1035, section 2.3.4), so that no name server is asked for this one.
		{"a name that does not resolve", func(*testing.T, *fixture) string {
			return "https://" + strings.Repeat("x", 64) + ".vault.azure.net/secrets/word"
		}, v1alpha1.ReasonVaultNotFound, []string{"does not resolve", "private endpoint"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			raw := test.arrange(t, f)
			if raw == "" {
				raw = f.vault.SecretURL("word")
			}
			_, err := f.clients.Get(t.Context(), urlOf(t, raw), "", time.Now())
			_ = f.wantFault(t, err, urlOf(t, raw), test.want, test.says...)
			if got := f.server.TokenRequests(); got != 0 {
				t.Errorf("got %d token requests, want none", got)
			}
		})
	}
}

func TestAProxyThatCannotBeReachedIsNotTheVault(t *testing.T) {
	for name, cause := range map[string]error{
		"its name does not resolve": &net.DNSError{Err: "no such host", Name: "proxy.example", IsNotFound: true},
		"it does not listen":        &net.OpError{Op: "dial", Err: errors.New("connection refused")},
	} {
		t.Run(name, func(t *testing.T) {
			reason, why := networkProblem(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: cause}) // as net/http wraps it
			if reason != v1alpha1.ReasonVaultUnreachable || !strings.Contains(why, "web proxy") || !strings.Contains(why, "HTTPS_PROXY") {
				t.Errorf("got %s: %s", reason, why)
			}
		})
	}
}

func TestNetworkProblem(t *testing.T) {
	tests := []struct {
		name  string
		cause error
		want  v1alpha1.Reason
		says  string
	}{
		{"a name server that fails", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", Name: "v"}},
			v1alpha1.ReasonVaultUnreachable, "server misbehaving"},
		{"no answer in time", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, v1alpha1.ReasonVaultUnreachable, "no answer in time"},
		{"an unknown end", errors.New("stream error"), v1alpha1.ReasonVaultUnreachable, "the connection broke off: stream error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, why := networkProblem(test.cause); got != test.want || !strings.Contains(why, test.says) {
				t.Errorf("got %s: %s, want %s: %s", got, why, test.want, test.says)
			}
		})
	}
}

func TestAVaultThatCameBackIsReadAgain(t *testing.T) {
	f := newFixture(t)
	f.mustRead(t)
	f.vault.Stop()
	for range 2 {
		_, err := f.read(t, f.vault, "word")
		_ = f.wantFault(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonVaultUnreachable)
	}
	check(t, f.vault.Start())
	f.mustRead(t)
	if got := f.vault.Stats().Unauthorized; got != 1 {
		t.Errorf("got %d answers 401, want 1: the token is still good", got)
	}
}

// Whoever waited for the first request shares its fate, and so the fate's reason.
func TestEveryoneIsToldWhyTheVaultIsUnreachable(t *testing.T) {
	f := newFixture(t)
	held, release := f.wire.hold()
	defer release()
	f.vault.Stop()
	errs := make([]error, 8)
	urls := make([]SecretURL, len(errs))
	var ready, done sync.WaitGroup
	for i := range errs {
		urls[i] = urlOf(t, f.vault.SecretURL("word-"+strings.Repeat("i", i)))
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			_, errs[i] = f.clients.Get(t.Context(), urls[i], "", time.Now())
		})
	}
	ready.Wait()
	<-held
	release()
	done.Wait()
	for i, err := range errs {
		_ = f.wantFault(t, err, urls[i], v1alpha1.ReasonVaultUnreachable, "no connection: ")
	}
}

func TestAVaultThatNeverAnswersIsUnreachable(t *testing.T) {
	f := newFixture(t)
	_, release := f.wire.hold()
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	secret := urlOf(t, f.vault.SecretURL("word"))
	_, err := f.clients.fetch(ctx, secret, "")
	_ = f.wantFault(t, err, secret, v1alpha1.ReasonVaultUnreachable, "no answer in time")
}
