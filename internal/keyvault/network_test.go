package keyvault

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestAVaultThatHasRecoveredIsReadAgain(t *testing.T) {
	f := newFixture(t)
	f.mustRead(t)
	f.vault.Stop()
	for range 2 {
		_, err := f.read(t, f.vault, "word")
		_ = f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonVaultUnreachable)
	}
	check(t, f.vault.Start())
	f.mustRead(t)
	if got := f.vault.Stats().Unauthorized; got != 1 {
		t.Errorf("got %d responses 401, want 1: the token is still good", got)
	}
}

// All callers that waited for the first request share its failure and its reason.
func TestAllCallersGetTheReasonOfAnUnreachableVault(t *testing.T) {
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
		_ = f.wantFailure(t, err, urls[i], v1alpha1.ReasonVaultUnreachable, "no connection: ")
	}
}

func TestAVaultThatNeverRespondsIsUnreachable(t *testing.T) {
	f := newFixture(t)
	_, release := f.wire.hold()
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	secret := urlOf(t, f.vault.SecretURL("word"))
	_, err := f.clients.fetch(ctx, request{secret: secret})
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonVaultUnreachable, "no response in time")
}
