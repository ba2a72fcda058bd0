package main

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// silent is how old the controller's Lease may be, which its leader renews every 2 s. Clocks of a workstation and of a node may differ
// by minutes.
const silent = 5 * time.Minute

// silence says that no controller writes the status any more, so that what is shown may be out of date; empty if one does, if there
// is no Lease, or if it may not be read.
func silence(ctx context.Context, client *cluster.Client, now time.Time) string {
	var renewed time.Time
	options := metav1.ListOptions{FieldSelector: "metadata.name=vaultpane-controller"}
	err := cluster.List(ctx, client, cluster.Leases, "", options, func(lease *coordinationv1.Lease) error {
		if lease.Spec.RenewTime != nil && lease.Spec.RenewTime.After(renewed) {
			renewed = lease.Spec.RenewTime.Time
		}
		return nil
	})
	if age := now.Sub(renewed); err == nil && !renewed.IsZero() && age > silent {
		return fmt.Sprintf("The controller has not renewed its Lease for %s, so this status may be out of date: 'kubectl vaultpane doctor' says more.", terminal.Age(age))
	}
	return ""
}
