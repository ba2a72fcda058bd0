package keyvault

import (
	"context"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Connections to one address. One at a time is enough, and mostly the same for hours; a server that ends each of them after one
// request (GOAWAY, Connection: close) must not make the agent use up the node's ports and the server's handshakes.
const (
	connectionFloor = 100 * time.Millisecond // between two connections
	connectionBurst = 10                     // that are made without it
)

// dialer connects to hosts, gives the metadata service up early, and keeps a floor between connections to one address.
type dialer struct {
	mu     sync.Mutex
	floors recent[string, *rate.Limiter] // by address
}

func newDialer() *dialer { return &dialer{floors: keep[string, *rate.Limiter](keptVaults)} }

// dial connects to a host when it is its turn.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	limit := dialTimeout
	if host, _, err := net.SplitHostPort(address); err == nil && host == metadataHost {
		limit = metadataDialTimeout
	}
	if err := d.floorOf(address).Wait(ctx); err != nil {
		return nil, err
	}
	return (&net.Dialer{Timeout: limit, KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
}

// floorOf returns the floor of an address, for those that were connected to last.
func (d *dialer) floorOf(address string) *rate.Limiter {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.floors.get(address)
	if !ok {
		found = rate.NewLimiter(rate.Every(connectionFloor), connectionBurst)
		d.floors.put(address, found)
	}
	return found
}
