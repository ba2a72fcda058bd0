package main

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/convert"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/removal"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// runCheck says on which machines the extension may be removed.
func runCheck(ctx context.Context, flags *cluster.Flags, streams terminal.Streams, result convert.Result) error {
	code := result.ExitCode()
	if code == convert.ExitUnreadable || len(result.Certificates) == 0 {
		if err := result.Report(streams.Err); err != nil || code == 0 {
			return err
		}
		return cli.ExitStatus(code)
	}
	client, err := flags.Client()
	if err != nil {
		return err
	}
	have, err := readCluster(ctx, client, result)
	if err != nil {
		return err
	}
	answers := removal.Decide(result, have)
	for _, line := range removal.Lines(answers, streams.Style()) {
		if _, err := fmt.Fprintln(streams.Out, line); err != nil {
			return err
		}
	}
	if hands := len(result.Findings.Sorted(finding.Hand)); hands > 0 {
		_, _ = fmt.Fprintf(streams.Err, "%s: see 'kubectl vaultpane convert' without --check.\n", needHand(hands))
	}
	if result.Unclear || slices.ContainsFunc(answers, func(answer removal.Machine) bool { return !answer.Removable }) {
		return cli.ExitStatus(1)
	}
	return nil
}

func needHand(findings int) string {
	if findings == 1 {
		return "One finding needs a hand"
	}
	return fmt.Sprintf("%d findings need a hand", findings)
}

func readCluster(ctx context.Context, client *cluster.Client, result convert.Result) (removal.Cluster, error) {
	have := removal.Cluster{Pools: map[string][]string{}, States: map[string]*v1alpha1.NodeCertificateState{}}
	err := cluster.List(ctx, client, cluster.ObservedCertificates, "", metav1.ListOptions{}, func(certificate *v1alpha1.ObservedCertificate) error {
		have.Certificates = append(have.Certificates, *certificate)
		return nil
	})
	if err != nil {
		return have, fmt.Errorf("reading the ObservedCertificates: %w", err)
	}
	wanted := map[string]bool{}
	for _, machine := range result.Machines {
		if machine.Pool == "" || have.Pools[machine.Pool] != nil {
			continue
		}
		options := metav1.ListOptions{LabelSelector: convert.PoolLabel + "=" + machine.Pool + ",kubernetes.io/os=windows"}
		err := cluster.List(ctx, client, cluster.Nodes, "", options, func(node *metav1.PartialObjectMetadata) error {
			have.Pools[machine.Pool] = append(have.Pools[machine.Pool], node.Name)
			wanted[node.Name] = true
			return nil
		})
		if err != nil {
			return have, fmt.Errorf("reading the nodes of the pool %s: %w", machine.Pool, err)
		}
	}
	if len(wanted) == 0 {
		return have, nil
	}
	err = cluster.List(ctx, client, cluster.NodeCertificateStates, "", metav1.ListOptions{}, func(state *v1alpha1.NodeCertificateState) error {
		if wanted[state.Name] {
			have.States[state.Name] = state.DeepCopy()
		}
		return nil
	})
	if err != nil {
		return have, fmt.Errorf("reading the nodes' states: %w", err)
	}
	return have, nil
}
