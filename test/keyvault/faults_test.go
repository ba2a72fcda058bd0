package keyvault

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// newFaulty returns a vault with a secret, and a client that has its token already.
func newFaulty(t *testing.T) (*Server, *Vault, *azsecrets.Client) {
	t.Helper()
	s := ForTest(t, "shop", "ops")
	for _, vault := range []string{"shop", "ops"} {
		s.Vault(vault).PutRaw("word", "", "open")
	}
	client := newClient(t, s, "shop")
	get(t, client, "word", "")
	s.Vault("shop").ResetStats()
	return s, s.Vault("shop"), client
}

func TestThrottling(t *testing.T) {
	s, vault, client := newFaulty(t)
	vault.Throttle(1500*time.Millisecond, true, 2)
	for range 2 {
		refusal := refused(t, client, "word", "", http.StatusTooManyRequests)
		mustContain(t, refusal, "Throttled")
		if got := refusal.RawResponse.Header.Get("Retry-After"); got != "2" {
			t.Errorf("got Retry-After %q, want 2", got)
		}
	}
	get(t, client, "word", "")
	vault.Throttle(time.Minute, false, -1)
	for range 3 {
		refusal := refused(t, client, "word", "", http.StatusTooManyRequests)
		if got := refusal.RawResponse.Header.Get("Retry-After"); got != "" {
			t.Errorf("got Retry-After %q, want none", got)
		}
	}
	get(t, newClient(t, s, "ops"), "word", "")
	vault.Heal()
	get(t, client, "word", "")
	if got := vault.Stats().ByCode; got[http.StatusTooManyRequests] != 5 || got[http.StatusOK] != 2 {
		t.Errorf("got %v, want five 429 and two 200", got)
	}
}

func TestRefusals(t *testing.T) {
	s, vault, client := newFaulty(t)
	tests := []struct {
		name   string
		set    func()
		status int
		texts  []string
	}{
		{"the firewall", func() { vault.Firewall(true) }, http.StatusForbidden,
			[]string{"ForbiddenByFirewall", "Client address is not authorized"}},
		{"no role", func() { vault.DenyIdentity(s.tenant.clientID) }, http.StatusForbidden,
			[]string{"ForbiddenByRbac", "Assignment: (not found)", s.tenant.clientID}},
		{"any failure", func() { vault.FailWith(http.StatusServiceUnavailable, "ServiceUnavailable", "Inner", "Sorry.", -1) },
			http.StatusServiceUnavailable, []string{"ServiceUnavailable", "Inner", "Sorry."}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.set()
			mustContain(t, refused(t, client, "word", "", test.status), test.texts...)
			vault.Heal()
			get(t, client, "word", "")
		})
	}
	vault.DenyIdentity("another identity")
	get(t, client, "word", "")
}

func TestStopAndStartOnTheSamePort(t *testing.T) {
	_, vault, client := newFaulty(t)
	before := vault.URL()
	vault.Stop()
	vault.Stop()
	if _, err := client.GetSecret(t.Context(), "word", "", nil); err == nil {
		t.Error("got a response of a stopped vault")
	}
	for range 2 {
		if err := vault.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if vault.URL() != before {
		t.Errorf("got %s, want %s", vault.URL(), before)
	}
	get(t, client, "word", "")
}

func TestATruncatedResponseIsAnError(t *testing.T) {
	_, vault, client := newFaulty(t)
	for name, set := range map[string]func(){
		"an answer that breaks off": func() { vault.ResetMidBody(1) },
		"a captive portal's page":   func() { vault.HTMLPage(1) },
	} {
		t.Run(name, func(t *testing.T) {
			set()
			if response, err := client.GetSecret(t.Context(), "word", "", nil); err == nil && response.Value != nil {
				t.Errorf("got %q, want no value", *response.Value)
			}
			get(t, client, "word", "")
		})
	}
}

func TestLatencyDelaysAResponse(t *testing.T) {
	_, vault, client := newFaulty(t)
	vault.Latency(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.GetSecret(ctx, "word", "", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	vault.Heal()
	get(t, client, "word", "")
	vault.Latency(20 * time.Millisecond)
	start := time.Now()
	get(t, client, "word", "")
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("took %s, want 20 ms or more", took)
	}
}
