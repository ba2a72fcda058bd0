package keyvault

import (
	"net/http"
	"time"
)

// faults are the faults that are injected into a vault.
type faults struct {
	throttle, failure, pages limited
	refusal                  Refusal
	refusals, resets         int
	firewall                 bool
	noLists, noReads         bool
	enforceValidity          bool
	goAway                   bool
	latency, drip, skew      time.Duration
}

// limited is a response to the next count requests; to all of them if count is negative.
type limited struct {
	count  int
	answer answer
}

// spend reports whether a fault is due, and counts it.
func spend(count *int) bool {
	if *count > 0 {
		*count--
		return true
	}
	return *count < 0
}

func (v *Vault) fault(set func(*faults)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	set(&v.faults)
}

// Throttle answers the next count requests with 429, all until Heal if count is negative. With withHeader they carry
// Retry-After in seconds, rounded up; Key Vault usually omits it.
func (v *Vault) Throttle(retryAfter time.Duration, withHeader bool, count int) {
	v.fault(func(f *faults) { f.throttle = limited{count, throttled(retryAfter, withHeader)} })
}

// FailWith answers the next count requests with an error, all until Heal if count is negative. An empty innerCode omits
// the inner error.
func (v *Vault) FailWith(status int, code, innerCode, message string, count int) {
	v.fault(func(f *faults) { f.failure = limited{count, failure(status, code, innerCode, message)} })
}

// Firewall turns the vault's firewall, which denies all requests, on or off.
func (v *Vault) Firewall(on bool) { v.fault(func(f *faults) { f.firewall = on }) }

// DenyIdentity removes the role of a client ID: it gets 403 until Heal. Other identities are not affected.
func (v *Vault) DenyIdentity(clientID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.denied[clientID] = true
}

// DenyLists removes every identity's permission to list versions until Heal. They may still read secrets.
func (v *Vault) DenyLists() { v.fault(func(f *faults) { f.noLists = true }) }

// DenyReads removes every identity's permission to read secrets until Heal, as with the role Key Vault Reader alone. They may still
// list versions.
func (v *Vault) DenyReads() { v.fault(func(f *faults) { f.noReads = true }) }

// EnforceValidity refuses secrets before nbf and after exp with 403, as one page of Key Vault's documentation states
// (https://learn.microsoft.com/azure/key-vault/certificates/about-certificates) and another contradicts.
func (v *Vault) EnforceValidity(on bool) { v.fault(func(f *faults) { f.enforceValidity = on }) }

// Latency delays every response, including those to requests without a token.
func (v *Vault) Latency(d time.Duration) { v.fault(func(f *faults) { f.latency = d }) }

// ResetMidBody truncates the next count responses in the middle of their body, all until Heal if count is negative.
func (v *Vault) ResetMidBody(count int) { v.fault(func(f *faults) { f.resets = count }) }

// HTMLPage answers the next count requests with 200 and an HTML page, as a captive portal would; all until Heal if count is
// negative. Requests without a token count as well: the portal is in front of the vault.
func (v *Vault) HTMLPage(count int) {
	v.fault(func(f *faults) { f.pages = limited{count, htmlPage(http.StatusOK, "Sign in to this network")} })
}

// BlockPage is HTMLPage with 403, as a filtering web proxy answers instead of the vault.
func (v *Vault) BlockPage(count int) {
	v.fault(func(f *faults) { f.pages = limited{count, htmlPage(http.StatusForbidden, "This site is blocked")} })
}

// Redirect answers the next count requests with a redirect to a sign-in page, as HTMLPage does with the page itself.
func (v *Vault) Redirect(location string, count int) {
	v.fault(func(f *faults) {
		f.pages = limited{count, htmlPage(http.StatusFound, "Sign in to this network").with("Location", location)}
	})
}

// Drip sends the responses' bodies byte by byte, with a pause before each.
func (v *Vault) Drip(pause time.Duration) { v.fault(func(f *faults) { f.drip = pause }) }

// GoAway ends each connection after a response, by GOAWAY in HTTP/2: clients must open another, as when a load balancer drains.
func (v *Vault) GoAway(on bool) { v.fault(func(f *faults) { f.goAway = on }) }

// SkewClock moves the vault's clock, which every response shows, ahead by d, or behind if d is negative.
func (v *Vault) SkewClock(d time.Duration) { v.fault(func(f *faults) { f.skew = d }) }

// Heal removes all faults. It does not start a vault that was stopped, nor enable or recover a secret.
func (v *Vault) Heal() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults = faults{}
	clear(v.denied)
}
