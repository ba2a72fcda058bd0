package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/schedule"
	"github.com/vaultpane/vaultpane/test/agents"
	vaultserver "github.com/vaultpane/vaultpane/test/keyvault"
)

// baselines are two other ways to get a secret to nodes, by their method only: no certificate is parsed or installed.
//
//   - Each node polls each of its secrets, as Azure's extension and the CSI driver's provider do.
//   - One leader polls, and writes a Secret that the nodes watch, as external-secrets does with kubelets.
type baselines struct {
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	failed   error
	renewed  time.Time   // of the leader's secret
	arrivals []time.Time // of the written Secret at the nodes
}

// sharedSecret is the Secret that the leader writes.
const sharedSecret = "baseline"

func (s *site) startBaselines(ctx context.Context) (*baselines, error) {
	ctx, cancel := context.WithCancel(ctx)
	b := &baselines{cancel: cancel}
	for _, vault := range []string{nodeVault, leaderVault} {
		for _, size := range s.counted() {
			if _, err := s.vaults.Vault(vault).Put(idleName(size), vaultserver.CertificateOptions{}); err != nil {
				return b, err
			}
		}
	}
	if err := b.pollOnEachNode(ctx, s); err != nil {
		return b, err
	}
	return b, b.pollInOnePlace(ctx, s)
}

func (b *baselines) stop() {
	b.cancel()
	b.group.Wait()
}

// fail notes a failure that ends the measurement.
func (b *baselines) fail(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = errors.Join(b.failed, err)
}

// newVaults is a client as a node or leader has it, with its own token and connections.
func (s *site) newVaults() (*keyvault.Clients, error) {
	if err := agents.SetEnv(s.vaults); err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(s.vaults.CAFile())
	if err != nil {
		return nil, fmt.Errorf("reading the vaults' authority: %w", err)
	}
	return keyvault.New(keyvault.Options{AllowedHosts: []string{"localhost"}, CABundle: authority, DisableChallengeResourceVerification: true})
}

// pollOnEachNode has every node poll its secrets, spread over the interval.
func (b *baselines) pollOnEachNode(ctx context.Context, s *site) error {
	for number := range s.Nodes {
		vaults, err := s.newVaults()
		if err != nil {
			return err
		}
		for _, size := range s.counted() {
			if number < size {
				url := s.vaults.Vault(nodeVault).SecretURL(idleName(size))
				b.group.Go(func() {
					b.fail(ctx, s.poll(ctx, vaults, fmt.Sprint(number), url, func(keyvault.Secret) error { return nil }))
				})
			}
		}
	}
	return nil
}

// poll reads a secret at each interval, and calls got with each answer.
func (s *site) poll(ctx context.Context, vaults *keyvault.Clients, name, url string, got func(keyvault.Secret) error) error {
	secret, err := keyvault.ParseURL(url)
	if err != nil {
		return err
	}
	for {
		next := schedule.Slot(name, url, s.Interval, time.Now())
		if pause(ctx, time.Until(next)) != nil {
			return nil //nolint:nilerr // it was asked to end
		}
		// A request that this busy machine does not answer in time is counted at the vault all the same.
		if answer, err := vaults.Get(ctx, secret, "", time.Now()); err == nil {
			if err := got(answer); err != nil {
				return err
			}
		}
	}
}

// pollInOnePlace has a leader poll one secret and write it to a Secret, which every node watches.
func (b *baselines) pollInOnePlace(ctx context.Context, s *site) error {
	kube, err := kubernetes.NewForConfig(s.plane.Config())
	if err != nil {
		return fmt.Errorf("making the leader's client: %w", err)
	}
	secrets := kube.CoreV1().Secrets(metav1.NamespaceDefault)
	if _, err := secrets.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: sharedSecret}}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating the Secret: %w", err)
	}
	for range s.Nodes {
		events, err := secrets.Watch(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", sharedSecret).String()})
		if err != nil {
			return fmt.Errorf("watching the Secret: %w", err)
		}
		b.group.Go(func() {
			defer events.Stop()
			for event := range events.ResultChan() {
				if secret, ok := event.Object.(*corev1.Secret); ok && len(secret.Data) > 0 {
					b.mu.Lock()
					b.arrivals = append(b.arrivals, time.Now())
					b.mu.Unlock()
				}
			}
		})
	}
	vaults, err := s.newVaults()
	if err != nil {
		return err
	}
	known := ""
	for _, size := range s.counted() {
		b.group.Go(func() {
			b.fail(ctx, s.poll(ctx, vaults, "leader", s.vaults.Vault(leaderVault).SecretURL(idleName(size)), func(answer keyvault.Secret) error {
				if size != s.Nodes || answer.Version == known {
					return nil
				}
				known = answer.Version
				_, err := secrets.Update(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: sharedSecret}, Data: map[string][]byte{"value": answer.Value}}, metav1.UpdateOptions{})
				return err
			}))
		})
	}
	return nil
}
