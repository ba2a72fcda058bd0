package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/cmd/agent/internal/stores"
	"github.com/vaultpane/vaultpane/cmd/internal/azure"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

// options are the agent's settings. Every flag has an environment variable, which the flag overrides: hcsshim passes the
// command line of a HostProcess container through cmd.exe, so settings are better given there.
type options struct {
	Store stores.Options
	Azure azure.Options
	// Version is the agent's version.
	Version string
	// Node is the name of the Node it runs on, Namespace that of the agents' Leases.
	Node, Namespace string
	// Kubeconfig is the file to reach the API server with; empty for KUBECONFIG, else the pod's service account.
	Kubeconfig string
	// Workers is how many certificates are processed at the same time.
	Workers int
	// InitialSpread is the time over which the first polls are spread.
	InitialSpread time.Duration
	// StoreCheckInterval is the time between two checks of the store.
	StoreCheckInterval time.Duration
	// AllowedServices are the Windows services that spec.usedBy may restart.
	AllowedServices []string
	// Settings are the files and folders of settings, State the folder of the state's file, and NodeLabels the labels that node
	// selectors are matched with: of an agent without a cluster only.
	Settings   []string
	State      string
	NodeLabels map[string]string
	// MetricsAddress and HealthAddress are the addresses to listen on, "0" for none.
	MetricsAddress, HealthAddress string

	logging     cli.Logging
	hostLog     cli.HostLog
	showVersion bool
	paths       []string // of settings, given without a flag
	service     string   // the name of the Windows service that this process is, empty for none
}

const usage = `vaultpane-agent keeps the certificates of one node up to date with Azure Key Vault.

Usage:
  vaultpane-agent [flags]                 run the agent of a node in a cluster
  vaultpane-agent run --settings PATH...  keep the certificates of one machine, without a cluster
  vaultpane-agent exec --settings PATH... -- PROGRAM [ARGUMENT...]
                                          install certificates, start a program, and keep the certificates beside it
  vaultpane-agent status                  show the certificates of an agent without a cluster
  vaultpane-agent poll [NAME...]          have an agent without a cluster poll now
  vaultpane-agent service install|uninstall|start|stop|status
                                          run as a Windows service
  vaultpane-agent store list [--json]     list the certificates in the machine's stores, and which of them Vaultpane installed
  vaultpane-agent store verify [--json]   verify the certificates that Vaultpane installed, and say what to do
  vaultpane-agent version                 print the version

Each command but version explains itself with --help.

` + azureUsage + `
Flags, each with its environment variable (the flag wins) and the Helm chart's value:
`

// azureUsage explains the Azure identity.
const azureUsage = `The Azure identity is configured by azidentity's own variables:
  workload-identity  AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE; no webhook is needed. In a HostProcess
                     container the file is also looked for below the sandbox mount point.
  managed-identity   none for the machine's own, AZURE_CLIENT_ID for one of several. Azure Arc and App Service style
                     endpoints are found by IDENTITY_ENDPOINT.
  environment        AZURE_CLIENT_ID, AZURE_TENANT_ID, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH
  azure-cli          the account that az is logged in with; for development
  default            environment where a client secret or certificate is configured, else workload-identity where a token
                     file is, else managed-identity
authentication.msiClientId of a certificate replaces AZURE_CLIENT_ID for workload-identity and managed-identity.
AZURE_ADDITIONALLY_ALLOWED_TENANTS names tenants of vaults other than AZURE_TENANT_ID, separated by semicolons.

Tokens come from the authority of the vault's cloud: public, China or US Government, by the vault's domain. For other clouds
name it with --authority-host, and their vaults with --allowed-vault-hosts. An authority host other than Microsoft's is trusted
without instance discovery.
`

// parseOptions reads flags and, for those not given, their environment variables. It returns pflag.ErrHelp after printing
// the help.
func parseOptions(arguments []string, lookup cli.Lookup, help io.Writer) (options, error) {
	o := options{Version: version}
	command := o.command(lookup)
	var err error
	if o.showVersion, err = command.Read(arguments, lookup, help); err != nil || o.showVersion {
		return o, err // the version does not depend on the settings
	}
	o.Azure.Tidy()
	o.Node = strings.ToLower(o.Node) // as names of Nodes are; a Windows host's name may not be
	switch err := o.validate(); {
	case err != nil:
		return o, command.InChart(err)
	case o.Node == "":
		return o, errors.New("--node-name is empty, must be the name of the Node that the agent runs on")
	case o.Namespace == "":
		return o, errors.New("--namespace is empty, must be the namespace of the agents' Leases")
	}
	return o, azure.CheckIdentity(o.Azure.Credential, lookup)
}

func (o *options) command(lookup cli.Lookup) cli.Command {
	return cli.Command{Name: "vaultpane-agent", Usage: usage, Chart: chartValues, Add: func(flags *pflag.FlagSet) { o.addTo(flags, lookup) }}
}

// variables are the environment variables that the agent reads as settings.
func variables() []string {
	var o options
	return o.command(os.LookupEnv).Variables()
}

// chartValues are the values of the Helm chart by flag. Flags without one are set by the chart itself or not at all.
var chartValues = map[string]string{ //nolint:gosec // names, not credentials
	"store-path":                "agent.linux.storePath",
	"workers":                   "agent.workers",
	"initial-spread":            "agent.initialSpread",
	"store-check-interval":      "agent.storeCheckInterval",
	"allowed-services":          "agent.allowedServices",
	"credential":                "azure.credential",
	"authority-host":            "azure.authorityHost",
	"vault-requests-per-second": "agent.vaultRequestsPerSecond",
	"allowed-vault-hosts":       "agent.allowedVaultHosts",
	"ca-bundle":                 "azure.caBundle.configMap",
	"disable-challenge-resource-verification": "agent.disableChallengeResourceVerification",
	"metrics-bind-address":                    "agent.metrics.address",
	"health-probe-bind-address":               "agent.health.port",
	"log-level":                               "agent.logLevel",
	"log-format":                              "agent.logFormat",
	"host-log-retention-days":                 "agent.logRetentionDays",
}

func (o *options) addTo(flags *pflag.FlagSet, lookup cli.Lookup) {
	flags.StringVar(&o.Node, "node-name", defaultNode(lookup), "name of the Node this agent runs on; NODE_NAME and then the host's name by default")
	flags.StringVar(&o.Namespace, "namespace", lookup.Or("POD_NAMESPACE", "vaultpane-system"), "namespace of the agents' Leases, and of ConfigMaps with authorities; POD_NAMESPACE by default")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig to reach the API server with; KUBECONFIG and then the pod's service account by default")
	o.Store.AddTo(flags)
	o.addEngineTo(flags, 10*time.Second)
	o.Azure.AddTo(flags)
	o.addServersTo(flags, "127.0.0.1:9464", "127.0.0.1:9465")
	o.logging.AddTo(flags)
	o.hostLog.AddTo(flags, "")
}

// addEngineTo adds the flags that say how certificates are processed. spread is the default of --initial-spread.
func (o *options) addEngineTo(flags *pflag.FlagSet, spread time.Duration) {
	flags.IntVar(&o.Workers, "workers", 10, "certificates processed at the same time")
	flags.DurationVar(&o.InitialSpread, "initial-spread", spread, "time over which the first polls after a start are spread, so that a scaled-out pool does not arrive as one burst; in a cluster also the reads of a ConfigMap that changed")
	flags.DurationVar(&o.StoreCheckInterval, "store-check-interval", time.Minute, "time between two checks of the store for missing certificates and keys; they cost no Key Vault request")
	flags.StringSliceVar(&o.AllowedServices, "allowed-services", nil, "Windows services that a certificate may restart after its renewal (spec.usedBy), by name, as in w3svc,MSSQLSERVER; none by default")
}

// addServersTo adds the flags of the HTTP servers, with their default addresses.
func (o *options) addServersTo(flags *pflag.FlagSet, metrics, health string) {
	flags.StringVar(&o.MetricsAddress, "metrics-bind-address", metrics, "address of the Prometheus metrics; 0 for none")
	flags.StringVar(&o.HealthAddress, "health-probe-bind-address", health, "address of /healthz and /readyz; 0 for none")
}

func (o *options) validate() error {
	if err := o.Azure.Check(); err != nil {
		return err
	}
	if err := o.Store.Check(); err != nil {
		return err
	}
	switch {
	case o.Workers < 1 || o.Workers > 1000:
		return fmt.Errorf("--workers is %d, must be 1 to 1000", o.Workers)
	case o.InitialSpread < 0 || o.InitialSpread > time.Hour:
		return fmt.Errorf("--initial-spread is %s, must be 0s to 1h", o.InitialSpread)
	case o.StoreCheckInterval < time.Second:
		return fmt.Errorf("--store-check-interval is %s, must be at least 1s", o.StoreCheckInterval)
	}
	if err := o.logging.Validate(); err != nil {
		return err
	}
	return o.hostLog.Validate()
}

// defaultNode returns NODE_NAME, else the host's name, which in lower case is what kubelet registers by default.
func defaultNode(lookup cli.Lookup) string {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return lookup.Or("NODE_NAME", host)
}
