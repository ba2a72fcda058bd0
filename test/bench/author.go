package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/fleet"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// author simulates a user who may write ObservedCertificates and writes as many and as large ones as the API takes, and changes
// them all the time.
const (
	authorCertificates   = 5000
	authorChangesAMinute = 1000
	paceRounds           = 5
)

// oneAuthor measures what such an author does to the agent, the controller, and another author's certificate.
func (b *bench) oneAuthor(ctx context.Context) error {
	if err := b.newMachine(ctx, node.Native); err != nil {
		return err
	}
	if _, err := b.vault.PutMany("other", 1, keyvault.CertificateOptions{}); err != nil {
		return err
	}
	if err := b.observe(node.Native, "other", 0, 1, 30*24*time.Hour); err != nil {
		return err
	}
	if err := b.startAgent(); err != nil {
		return err
	}
	if _, err := b.kubectl("", "apply", "-f", filepath.Join(b.root, "config", "rbac", "controller")); err != nil {
		return err
	}
	controller, err := fleet.StartController(ctx, b.cluster, b.root, b.dir)
	if err != nil {
		return err
	}
	defer controller.Kill()
	if err := b.reported(ctx, 1); err != nil {
		return err
	}
	alone, err := b.pace(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("bench: one author writes %d ObservedCertificates of the largest size\n", authorCertificates)
	for number := range authorCertificates {
		if err := b.client.Create(ctx, b.largest(number)); err != nil {
			return fmt.Errorf("writing one of the author's: %w", err)
		}
	}
	if err := b.entries(ctx, authorCertificates); err != nil {
		return err
	}
	changes, stop := context.WithCancel(ctx)
	defer stop()
	go b.keepChanging(changes)
	meanwhile, err := b.pace(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, time.Minute-time.Duration(paceRounds)*time.Second); err != nil {
		return err
	}
	return b.authorsRows(controller, alone, meanwhile)
}

func (b *bench) authorsRows(controller *fleet.Controller, alone, meanwhile time.Duration) error {
	what := fmt.Sprintf("one author's %d largest ObservedCertificates, %d changes a minute: ", authorCertificates, authorChangesAMinute)
	agent, err := b.agent.PeakBytes()
	if err != nil {
		return err
	}
	peak, err := controller.PeakBytes()
	if err != nil {
		return err
	}
	b.Add(what+"most resident memory of the agent", fmt.Sprintf("%.0f MB", megabytes(agent)), "≤ 512 MB", megabytes(agent) <= 512)
	b.Add(what+"most resident memory of the controller", fmt.Sprintf("%.0f MB", megabytes(peak)), "≤ 512 MB", megabytes(peak) <= 512)
	ratio := meanwhile.Seconds() / alone.Seconds()
	b.Add(what+"another's renewal, from the request to the store", fmt.Sprintf("%.1f s, %.1f × alone", meanwhile.Seconds(), ratio), "≤ 3 ×", ratio <= 3)
	return nil
}

// largest is an ObservedCertificate of the largest size that the API takes, of a secret that is not there.
func (b *bench) largest(number int) *v1alpha1.ObservedCertificate {
	name := fmt.Sprintf("author-%04d", number)
	spec := v1alpha1.ObservedCertificateSpec{URL: b.vault.SecretURL(name), PollingIntervalInS: 3600}
	for account := range 16 {
		spec.Accounts = append(spec.Accounts, fmt.Sprintf(`CORP\%04d-%02d%s`, number, account, strings.Repeat("a", 243)))
	}
	selector := &v1alpha1.NodeSelector{}
	for expression := range 2 {
		requirement := v1alpha1.NodeSelectorRequirement{Key: fmt.Sprintf("vaultpane.dev/absent-%d", expression), Operator: metav1.LabelSelectorOpNotIn}
		for value := range 64 {
			requirement.Values = append(requirement.Values, v1alpha1.LabelValue(fmt.Sprintf("%04d-%02d%s", number, value, strings.Repeat("v", 56))))
		}
		selector.MatchExpressions = append(selector.MatchExpressions, requirement)
	}
	spec.NodeSelector = selector
	return &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
}

// keepChanging changes the author's certificates one after another.
func (b *bench) keepChanging(ctx context.Context) {
	ticker := time.NewTicker(time.Minute / authorChangesAMinute)
	defer ticker.Stop()
	for number := 0; ctx.Err() == nil; number = (number + 1) % authorCertificates {
		<-ticker.C
		_ = retry.RetryOnConflict(retry.DefaultBackoff, func() error { // what fails is missing from the load alone
			var certificate v1alpha1.ObservedCertificate
			if err := b.client.Get(ctx, client.ObjectKey{Name: fmt.Sprintf("author-%04d", number)}, &certificate); err != nil {
				return err
			}
			certificate.Spec.KeyExportable = !certificate.Spec.KeyExportable
			return b.client.Update(ctx, &certificate)
		})
	}
}

// pace is the median time from asking for a poll of the other certificate, which was renewed, to its new version in the store.
func (b *bench) pace(ctx context.Context) (time.Duration, error) {
	var took []float64
	for range paceRounds {
		made, err := b.vault.Rotate("other-0000")
		if err != nil {
			return 0, err
		}
		begin := time.Now()
		if _, err := b.kubectl("", "annotate", "observedcertificate", "other-0000", "--overwrite", v1alpha1.RequestedAtAnnotation+"="+begin.UTC().Format(time.RFC3339Nano)); err != nil {
			return 0, err
		}
		file := filepath.Join(b.machine.StorePath(), "LocalMachine", "MY", made.Thumbprint+".pem")
		err = wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 5*time.Minute, true, func(context.Context) (bool, error) {
			_, err := os.Stat(file)
			return err == nil, nil
		})
		if err != nil {
			return 0, fmt.Errorf("waiting for the other's renewal: %w", err)
		}
		took = append(took, time.Since(begin).Seconds())
	}
	return time.Duration(median(took) * float64(time.Second)), nil
}

// entries waits until the node reports a number of certificates, in any state.
func (b *bench) entries(ctx context.Context, count int) error {
	return wait.PollUntilContextTimeout(ctx, time.Second, 15*time.Minute, true, func(ctx context.Context) (bool, error) {
		var state v1alpha1.NodeCertificateState
		if err := b.client.Get(ctx, client.ObjectKey{Name: nodeName}, &state); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		return len(state.Certificates) >= count, nil
	})
}
