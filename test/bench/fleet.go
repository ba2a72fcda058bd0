package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/fleet"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// waitLimit is how long the benchmark waits for the controller, on a machine with other work.
const waitLimit = 5 * time.Minute

// required is how many of the certificates keep the startup taint on a node.
const required = 5

// site is a cluster with the controller in it, and a fleet.
type site struct {
	*table
	root, dir  string
	audit      *fleet.Audit
	plane      *controlplane.ControlPlane
	kwok       *node.Process
	controller *fleet.Controller
	fleet      *fleet.Fleet
	statuses   *fleet.Statuses
	taints     *fleet.Taints
	versions   []int            // of each certificate, on all nodes
	vaults     *keyvault.Server // of the version watch, nil without
	published  []string         // the version of each certificate in that vault
}

// newSite starts a control plane with Vaultpane installed, and observes certificates. Neither nodes nor the controller are
// there yet.
func newSite(ctx context.Context, t *table, certificates int) (*site, error) {
	s, err := emptySite(ctx, t, certificates)
	if err != nil {
		return s, err
	}
	return s, s.fleet.Observe(ctx, certificates, required)
}

// emptySite is newSite without the certificates.
func emptySite(ctx context.Context, t *table, certificates int) (*site, error) {
	s := &site{table: t, versions: make([]int, certificates)}
	var err error
	if s.root, err = os.Getwd(); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "vaultpane-bench-"); err != nil {
		return s, err
	}
	if s.audit, err = fleet.NewAudit(s.dir); err != nil {
		return s, err
	}
	if s.plane, err = controlplane.Start(ctx, controlplane.Options{APIServerArgs: s.audit.APIServerArgs()}); err != nil {
		return s, err
	}
	if err := install.Everything(ctx, s.plane, s.root); err != nil {
		return s, err
	}
	if s.fleet, err = fleet.New(s.plane.Config()); err != nil {
		return s, err
	}
	if s.statuses, err = s.fleet.WatchStatuses(ctx); err != nil {
		return s, err
	}
	s.taints, err = s.fleet.WatchTaints(ctx)
	return s, err
}

func (s *site) startController(ctx context.Context, environment ...string) (err error) {
	if s.vaults != nil {
		environment = append(environment, s.vaults.Env()...)
		environment = append(environment, "VAULTPANE_VERSION_WATCH=true", "VAULTPANE_CA_BUNDLE="+s.vaults.CAFile(),
			"VAULTPANE_ALLOWED_VAULT_HOSTS=localhost", "VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true")
	}
	s.controller, err = fleet.StartController(ctx, s.plane, s.root, s.dir, environment...)
	return err
}

// watchVersions gives the fleet's certificates a vault, and the controller the version watch.
func (s *site) watchVersions(certificates int) (err error) {
	s.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(s.dir, "keyvault"), Vaults: []string{"shop"}})
	if err != nil {
		return err
	}
	vault := s.vaults.Vault("shop")
	s.fleet.Secrets = vault.SecretURL("")
	for number := range certificates {
		name := fmt.Sprintf("cert-%03d", number)
		if _, err := vault.Put(name, keyvault.CertificateOptions{KeyType: keyvault.P256}); err != nil {
			return err
		}
		s.published = append(s.published, vault.Versions(name)[0])
	}
	return nil
}

func (s *site) close() {
	s.stopController()
	if s.kwok != nil {
		s.kwok.Kill()
	}
	if s.vaults != nil {
		_ = s.vaults.Close() // it ends with this process anyway
	}
	if s.plane != nil {
		_ = s.plane.Stop() // it ends with this process anyway
	}
	_ = os.RemoveAll(s.dir) // a temporary folder
}

func (s *site) stopController() {
	if s.controller != nil {
		_, _ = s.controller.Stop(10 * time.Second) // so that the next one need not wait until its Lease ends
		s.controller = nil
	}
}

// installed is what all nodes have at the moment.
func (s *site) installed() fleet.Entry {
	made := fleet.Installed(func(certificate int) int { return s.versions[certificate] })
	if s.vaults == nil {
		return made
	}
	return func(node, certificate int) v1alpha1.CertificateEntry {
		entry := made(node, certificate)
		entry.Version = s.published[certificate] // else every node would be behind what the version watch publishes
		return entry
	}
}

// ready reports whether a certificate's status is as expected with all nodes healthy.
func (s *site) ready(certificate *v1alpha1.ObservedCertificate) bool {
	var number int
	if _, err := fmt.Sscanf(certificate.Name, "cert-%d", &number); err != nil {
		return false // none of ours
	}
	return fleet.Ready(certificate, s.fleet.Size(), fleet.Thumbprint(number, s.versions[number]))
}

// allReady waits until every status is right, and returns when the last of them came to be so.
func (s *site) allReady(ctx context.Context) (time.Time, error) {
	return s.statuses.Until(ctx, len(s.versions), waitLimit, s.ready)
}

// rotate has the first certificates get a new version on all nodes, and waits for the statuses. It returns the time that the
// last node's write came before the last right status.
func (s *site) rotate(ctx context.Context, count int) (time.Duration, error) {
	for i := range count {
		s.versions[i]++
	}
	s.statuses.Forget()
	reported, err := s.fleet.Report(ctx, s.installed())
	if err != nil {
		return 0, err
	}
	right, err := s.allReady(ctx)
	return right.Sub(reported), err
}

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
