package keyvault

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestAProxyThatCannotBeReachedIsNotTheVault(t *testing.T) {
	for name, cause := range map[string]error{
		"its name does not resolve": &net.DNSError{Err: "no such host", Name: "proxy.example", IsNotFound: true},
		"it does not listen":        &net.OpError{Op: "dial", Err: errors.New("connection refused")},
	} {
		t.Run(name, func(t *testing.T) {
			reason, why := networkProblem("v", &net.OpError{Op: "proxyconnect", Net: "tcp", Err: cause}) // as net/http wraps it
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
			if got, why := networkProblem("v", test.cause); got != test.want || !strings.Contains(why, test.says) {
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
