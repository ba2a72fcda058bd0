package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/cmd/internal/azure"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

// options are the controller's settings. Every flag has an environment variable, which the flag overrides.
type options struct {
	namespace      string
	kubeconfig     string
	leaderElect    bool
	agentNodes     string
	agents         labels.Selector // agentNodes, parsed
	expiringSoon   time.Duration
	watchEvents    int
	watch          watchOptions
	eventGrid      eventGridOptions
	crds           string
	metricsAddress string
	healthAddress  string
	logging        cli.Logging
	showVersion    bool
}

const usage = `vaultpane-controller writes the status of ObservedCertificates and removes the startup taint from nodes. With
--version-watch it also tells the nodes which version of each secret to fetch.

Usage:
  vaultpane-controller [flags]                        run the controller
  vaultpane-controller remove-startup-taint [flags]   take the startup taint from all nodes and end, before uninstalling
  vaultpane-controller apply-crds [flags]             give the CRDs the spec that they have in a folder and end, before upgrading
  vaultpane-controller version                        print the version

Flags, each with its environment variable (the flag wins) and the Helm chart's value:
`

// parseOptions reads flags and, for those not given, their environment variables. It returns pflag.ErrHelp after printing
// the help.
func parseOptions(arguments []string, lookup cli.Lookup, help io.Writer) (options, error) {
	var o options
	command := o.command(lookup)
	var err error
	if o.showVersion, err = command.Read(arguments, lookup, help); err != nil || o.showVersion {
		return o, err // the version does not depend on the settings
	}
	o.watch.azure.Tidy()
	if err := o.validate(); err != nil {
		return o, command.InChart(err)
	}
	if !o.watch.enabled {
		return o, nil
	}
	return o, azure.CheckIdentity(o.watch.azure.Credential, lookup)
}

func (o *options) command(lookup cli.Lookup) cli.Command {
	return cli.Command{Name: "vaultpane-controller", Usage: usage, Chart: chartValues, Add: func(flags *pflag.FlagSet) { o.addTo(flags, lookup) }}
}

// variables are the environment variables that the controller reads as settings.
func variables() []string {
	var o options
	return o.command(os.LookupEnv).Variables()
}

// chartValues are the values of the Helm chart by flag. Flags without one are set by the chart itself or not at all.
var chartValues = map[string]string{
	"agent-node-selector": "controller.agentNodeSelector",
	"expiring-soon":       "controller.expiringSoon",
	"watch-event-budget":  "controller.watchEventBudget",
	"log-level":           "controller.logLevel",
	"log-format":          "controller.logFormat",

	"credential":          "controller.azure.credential",
	"authority-host":      "azure.authorityHost",
	"ca-bundle":           "azure.caBundle.configMap",
	"allowed-vault-hosts": "agent.allowedVaultHosts",

	"disable-challenge-resource-verification": "agent.disableChallengeResourceVerification",

	"version-watch":           "controller.versionWatch.enabled",
	"version-watch-interval":  "controller.versionWatch.interval",
	"event-grid-endpoint":     "controller.versionWatch.eventGrid.endpoint",
	"event-grid-topic":        "controller.versionWatch.eventGrid.topic",
	"event-grid-subscription": "controller.versionWatch.eventGrid.subscription",
}

func (o *options) addTo(flags *pflag.FlagSet, lookup cli.Lookup) {
	flags.StringVar(&o.namespace, "namespace", lookup.Or("POD_NAMESPACE", "vaultpane-system"), "namespace of the agents' Leases and of the leader's; POD_NAMESPACE by default")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig to reach the API server with; KUBECONFIG and then the pod's service account by default")
	flags.BoolVar(&o.leaderElect, "leader-elect", true, "elect a leader, so that one controller works and the others wait")
	flags.StringVar(&o.agentNodes, "agent-node-selector", "kubernetes.io/os=windows", "labels of the nodes that run the agent, as in the agents' DaemonSet; empty for all nodes")
	flags.DurationVar(&o.expiringSoon, "expiring-soon", 7*24*time.Hour, "how long before its expiry a certificate counts as expiring soon")
	flags.IntVar(&o.watchEvents, "watch-event-budget", 5000, "watch events per second that status writes may cause at all agents together; one write per second is always allowed")
	o.watch.addTo(flags)
	o.eventGrid.addTo(flags)
	flags.StringVar(&o.crds, "crds", "/crds", "folder of the CRDs, a YAML file each, for apply-crds")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address of the Prometheus metrics; 0 for none")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 for none")
	o.logging.AddTo(flags)
}

func (o *options) validate() error {
	var err error
	if o.agents, err = labels.Parse(o.agentNodes); err != nil {
		return fmt.Errorf("--agent-node-selector is %q, must be a label selector such as kubernetes.io/os=windows: %w", o.agentNodes, err)
	}
	switch {
	case o.namespace == "":
		return errors.New("--namespace is empty, must be the namespace of the agents' Leases")
	case o.expiringSoon < 0:
		return fmt.Errorf("--expiring-soon is %s, must not be negative", o.expiringSoon)
	case o.watchEvents < 1:
		return fmt.Errorf("--watch-event-budget is %d, must be at least 1", o.watchEvents)
	}
	if err := o.watch.validate(); err != nil {
		return err
	}
	if err := o.eventGrid.validate(&o.watch); err != nil {
		return err
	}
	return o.logging.Validate()
}
