package doctor

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/vaultpane/vaultpane/internal/keyvault"
)

const (
	// resolveLimit is how long the look-up of a name may take.
	resolveLimit = 10 * time.Second
	// mostHosts is how many names are looked up, and atOnce how many at the same time.
	mostHosts = 200
	atOnce    = 16
)

var errNoSuchHost = errors.New("no such host")

// SystemResolver looks up a name as other programs on this machine do.
func SystemResolver(ctx context.Context, host string) error {
	_, err := net.DefaultResolver.LookupHost(ctx, host)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return errNoSuchHost // the rest of the error names the name server's address, which may be private
	}
	return err
}

// resolve looks up the hosts of all certificates' vaults.
func (r *Reader) resolve(ctx context.Context, s *Snapshot) {
	s.Hosts = map[string]error{}
	for _, certificate := range s.Certificates {
		if secret, err := keyvault.ParseURL(certificate.Spec.URL); err == nil {
			s.Hosts[secret.Host] = nil
		}
	}
	hosts := slices.Sorted(maps.Keys(s.Hosts))
	hosts = hosts[:min(len(hosts), mostHosts)]
	failures := make([]error, len(hosts))
	var group sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, host := range hosts {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, resolveLimit)
			defer cancel()
			failures[i] = r.Resolve(ctx, host)
		})
	}
	group.Wait()
	for i, host := range hosts {
		s.Hosts[host] = failures[i]
	}
}
