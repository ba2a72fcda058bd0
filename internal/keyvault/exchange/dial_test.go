package exchange

import (
	"fmt"
	"testing"
	"time"
)

// Without the limit, a server that keeps no connection caused 1,621 connections in six seconds.
func TestTheRateOfConnectionsIsLimited(t *testing.T) {
	d := newDialer()
	limiter := d.limiterFor("shop.vault.azure.net:443")
	now, made := time.Now(), 0
	for elapsed := time.Duration(0); elapsed < 6*time.Second; elapsed += time.Millisecond {
		if limiter.AllowN(now.Add(elapsed), 1) {
			made++
		}
	}
	if made > ConnectionBurst+60 {
		t.Errorf("got %d connections in six seconds", made)
	}
	if d.limiterFor("other.vault.azure.net:443") == limiter || d.limiterFor("shop.vault.azure.net:443") != limiter {
		t.Error("want one limiter for each address")
	}
	for i := range 2000 {
		_ = d.limiterFor(fmt.Sprintf("v%d.vault.azure.net:443", i))
	}
	if got := d.limiters.Len(); got > 1100 {
		t.Errorf("keeps %d unused addresses", got)
	}
}
