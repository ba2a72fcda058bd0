package exchange

import (
	"context"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/vaultpane/vaultpane/internal/keyvault/recent"
)

// Limits on new connections to one address. One connection at a time is enough, and it usually lasts for hours. A server that
// closes each connection after one request (GOAWAY, Connection: close) must not make the agent exhaust the node's ports or load
// the server with handshakes.
const (
	ConnectionInterval = 100 * time.Millisecond // least time between two connections, once the burst is used up
	ConnectionBurst    = 10                     // connections that need not wait
)

// dialer connects to hosts. It uses a short timeout for the metadata service, and limits the rate of connections to one address.
type dialer struct {
	mu       sync.Mutex
	limiters recent.Cache[string, *rate.Limiter] // by address
}

func newDialer() *dialer { return &dialer{limiters: recent.New[string, *rate.Limiter](recent.Vaults)} }

// dial connects to a host as soon as the rate limit allows.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	timeout := dialTimeout
	if host, _, err := net.SplitHostPort(address); err == nil && host == MetadataHost {
		timeout = metadataDialTimeout
	}
	if err := d.limiterFor(address).Wait(ctx); err != nil {
		return nil, err
	}
	return (&net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
}

// limiterFor returns the rate limiter of an address. Limiters are kept for the most recently used addresses.
func (d *dialer) limiterFor(address string) *rate.Limiter {
	d.mu.Lock()
	defer d.mu.Unlock()
	limiter, ok := d.limiters.Get(address)
	if !ok {
		limiter = rate.NewLimiter(rate.Every(ConnectionInterval), ConnectionBurst)
		d.limiters.Put(address, limiter)
	}
	return limiter
}
