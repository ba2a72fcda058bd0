package watch

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/test/install"
)

// limit is how long the bench waits for anything.
const limit = 5 * time.Minute

// until waits until a condition holds.
func until(ctx context.Context, what string, holds func(ctx context.Context) (bool, error)) error {
	if err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, limit, true, holds); err != nil {
		return fmt.Errorf("waiting until %s: %w", what, err)
	}
	return nil
}

// expected is how many certificates are on nodes, each node counted.
func (s *site) expected() int {
	expected := s.Bulk * s.BulkNodes
	for _, size := range append(s.counted(), s.renewed()...) {
		expected += size
	}
	return expected
}

// allInstalled waits until every node has all its certificates in its store.
func (s *site) allInstalled(ctx context.Context) error {
	return until(ctx, fmt.Sprintf("%d certificates on nodes are installed", s.expected()), func(context.Context) (bool, error) {
		installed, err := s.agents.Installed()
		return installed == s.expected(), err
	})
}

// allReady waits until the status of every certificate says so.
func (s *site) allReady(ctx context.Context) error {
	return until(ctx, "the status of every certificate says that it is installed", func(ctx context.Context) (bool, error) {
		var list v1alpha1.ObservedCertificateList
		if err := s.kube.List(ctx, &list); err != nil {
			return false, err
		}
		installed := 0
		for i := range list.Items {
			if nodes := list.Items[i].Status.Nodes; nodes != nil {
				installed += int(nodes.Installed)
			}
		}
		return installed == s.expected(), nil
	})
}

// watched waits until the version watch has listed every secret since the call, and the agents know it.
func (s *site) watched(ctx context.Context) error {
	s.vault().ResetStats()
	secrets := len(s.counted()) + len(s.renewed()) + s.Bulk
	err := until(ctx, "the version watch has published every certificate", func(ctx context.Context) (bool, error) {
		var list v1alpha1.ObservedCertificateList
		if err := s.kube.List(ctx, &list); err != nil {
			return false, err
		}
		for i := range list.Items {
			status := list.Items[i].Status
			if status.LatestVersion == nil || !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionVersionWatched) {
				return false, nil
			}
		}
		return s.vault().Stats().Lists >= secrets, nil
	})
	if err != nil {
		return err
	}
	started := time.Now()
	return until(ctx, "the version watch's Lease says so", func(ctx context.Context) (bool, error) {
		var lease coordinationv1.Lease
		if err := s.kube.Get(ctx, types.NamespacedName{Namespace: install.Namespace, Name: heartbeat.VersionWatch}, &lease); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		fresh := false
		for _, at := range heartbeat.VaultsOnSchedule(&lease) {
			fresh = fresh || started.Sub(at) < heartbeat.WatchPeriod
		}
		return fresh, nil
	})
}
