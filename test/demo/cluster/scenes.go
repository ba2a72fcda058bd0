package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/demo/scene"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

func (s *stage) startControlPlane(ctx context.Context) error {
	var err error
	s.cluster, err = controlplane.Start(ctx, controlplane.Options{Log: scene.Say})
	return err
}

// exhibit is one certificate of the demo.
type exhibit struct {
	name, vault, what string
	options           keyvault.CertificateOptions
}

var exhibits = []exhibit{
	{"web", "shop", "RSA 2048, PFX, with its intermediate and root", keyvault.CertificateOptions{KeyType: keyvault.RSA2048, ContentType: keyvault.PFX, WithChain: true}},
	{"api", "shop", "EC P-256, PFX", keyvault.CertificateOptions{KeyType: keyvault.P256, ContentType: keyvault.PFX}},
	{"partner", "shop", "RSA 2048, PEM", keyvault.CertificateOptions{KeyType: keyvault.RSA2048, ContentType: keyvault.PEM}},
	{"gateway", "ops", "RSA 3072, PFX, with chain", keyvault.CertificateOptions{KeyType: keyvault.RSA3072, ContentType: keyvault.PFX, WithChain: true}},
	{"old", "ops", "RSA 2048, disabled in the vault", keyvault.CertificateOptions{KeyType: keyvault.RSA2048, ContentType: keyvault.PFX}},
}

// expected are the certificates that reach the store. Wine has no CNG, and so no place for an EC key.
func (s *stage) expected() []string {
	if s.machine.Kind == node.Wine {
		return []string{"web", "partner", "gateway"}
	}
	return []string{"web", "api", "partner", "gateway"}
}

func (s *stage) startKeyVault(context.Context) error {
	var err error
	s.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(s.dir, "keyvault"), Vaults: []string{"shop", "ops"}})
	if err != nil {
		return err
	}
	for _, one := range exhibits {
		one.options.Names = []string{one.name + ".example.com"}
		made, err := s.vaults.Vault(one.vault).Put(one.name, one.options)
		if err != nil {
			return err
		}
		scene.Say("%-8s in %-5s %s  %s", one.name, one.vault, made.Thumbprint, one.what)
	}
	return s.vaults.Vault("ops").Disable("old", "")
}

func (s *stage) installInCluster(ctx context.Context) error {
	if err := install.Everything(ctx, s.cluster, s.machine.Root); err != nil {
		return err
	}
	kubeconfig := filepath.Join(s.dir, "controller.kubeconfig")
	if err := install.WriteControllerKubeconfig(ctx, s.cluster, kubeconfig); err != nil {
		return err
	}
	var err error
	s.controller, err = node.StartController(s.machine.Root, filepath.Join(s.dir, "controller.log"), slices.Concat(s.vaults.Env(), []string{
		"VAULTPANE_KUBECONFIG=" + kubeconfig, "VAULTPANE_METRICS_BIND_ADDRESS=0", "VAULTPANE_HEALTH_PROBE_BIND_ADDRESS=0", "VAULTPANE_LOG_FORMAT=text",
		"VAULTPANE_VERSION_WATCH=true", "VAULTPANE_VERSION_WATCH_INTERVAL=2s", "VAULTPANE_CA_BUNDLE=" + s.vaults.CAFile(),
		"VAULTPANE_ALLOWED_VAULT_HOSTS=localhost", "VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true",
	}))
	if err != nil {
		return err
	}
	_, err = s.kubectl(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q, "labels": {"kubernetes.io/os": "windows"}},
		"spec": {"taints": [{"key": %q, "effect": "NoSchedule"}]}}`, nodeName, v1alpha1.StartupTaintKey), "apply", "-f", "-")
	return err
}

func (s *stage) startAgent(ctx context.Context) error {
	kubeconfig := filepath.Join(s.dir, "agent.kubeconfig")
	if err := install.WriteAgentKubeconfig(ctx, s.cluster, kubeconfig, nodeName); err != nil {
		return err
	}
	environment := slices.Concat(s.vaults.Env(), s.machine.AgentSettings(nodeName, kubeconfig, s.vaults.CAFile()),
		[]string{"VAULTPANE_STORE_CHECK_INTERVAL=2s", "VAULTPANE_INITIAL_SPREAD=1s", "VAULTPANE_LOG_FORMAT=text"})
	var err error
	if s.agent, err = s.machine.Start(s.log(), environment); err != nil {
		return err
	}
	return scene.Until(ctx, "the agent's Lease", func() (bool, error) {
		if !s.agent.Running() {
			return false, fmt.Errorf("the agent has ended")
		}
		output, err := s.kubectl("", "-n", install.Namespace, "get", "lease", nodeName, "--ignore-not-found", "-o", "name")
		return output != "", err
	})
}

func (s *stage) applyCertificates(ctx context.Context) error {
	manifest := ""
	for _, one := range exhibits {
		manifest += fmt.Sprintf("---\napiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificate\nmetadata:\n  name: %s\nspec:\n  url: %s\n  certificateStoreName: MY\n  certificateStoreLocation: LocalMachine\n",
			one.name, s.vaults.Vault(one.vault).SecretURL(one.name))
		if one.name == "web" {
			manifest += "  requireInitialSync: true\n"
		}
		if s.machine.Kind == node.Wine {
			manifest += "  keyStorageProvider: CAPI\n"
		}
	}
	output, err := s.kubectl(manifest, "apply", "-f", "-")
	if err != nil {
		return err
	}
	scene.Quote("$ kubectl apply -f certificates.yaml\n" + output)
	return scene.Until(ctx, "the certificates to be installed", func() (bool, error) {
		owned, err := s.leaves(ctx)
		return len(owned) == len(s.expected()), err
	})
}

// leaves returns the certificates that Vaultpane installed, by owner.
func (s *stage) leaves(ctx context.Context) (map[string][]node.Certificate, error) {
	certificates, err := s.machine.List(ctx)
	if err != nil {
		return nil, err
	}
	owned := map[string][]node.Certificate{}
	for _, certificate := range certificates {
		if certificate.Owner != "" && !certificate.Intermediate && certificate.Key == "Present" {
			owned[certificate.Owner] = append(owned[certificate.Owner], certificate)
		}
	}
	return owned, nil
}

func (s *stage) show(ctx context.Context) error {
	table, err := s.machine.Table(ctx)
	if err != nil {
		return err
	}
	scene.Quote("$ vaultpane-agent store list\n" + table)
	owned, err := s.leaves(ctx)
	if err != nil {
		return err
	}
	for _, name := range s.expected() {
		if want := s.thumbprint(name); len(owned[name]) != 1 || owned[name][0].Thumbprint != want {
			return fmt.Errorf("the store does not hold %s with thumbprint %s", name, want)
		}
	}
	if err := s.showStatus(ctx); err != nil {
		return err
	}
	if s.machine.Kind == node.Wine {
		scene.Say("api has an EC key: Windows keeps such keys in CNG, which Wine does not have, and the report says so")
	}
	return nil
}

// showStatus shows the cluster's view, once it is complete, and that the node may take pods.
func (s *stage) showStatus(ctx context.Context) error {
	err := scene.Until(ctx, "the status of every certificate", func() (bool, error) {
		ready, err := s.kubectl("", "get", "obscert", "-o", `jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{" "}{end}`)
		return len(strings.Fields(ready)) == len(exhibits) && !strings.Contains(ready, "Unknown"), err
	})
	if err != nil {
		return err
	}
	table, err := s.kubectl("", "get", "obscert")
	if err != nil {
		return err
	}
	scene.Quote("$ kubectl get obscert\n" + table)
	err = scene.Until(ctx, "the startup taint to go", func() (bool, error) {
		taints, err := s.kubectl("", "get", "node", nodeName, "-o", "jsonpath={.spec.taints[*].key}")
		return !strings.Contains(taints, v1alpha1.StartupTaintKey), err
	})
	if err == nil {
		scene.Say("the startup taint is removed from the node: web, which sets requireInitialSync, is installed")
	}
	return err
}

func (s *stage) thumbprint(name string) string {
	for _, one := range exhibits {
		if one.name == name {
			return s.vaults.Vault(one.vault).Thumbprint(name)
		}
	}
	return ""
}

// report reads the node's state as a JSONPath template says.
func (s *stage) report(template string) (string, error) {
	return s.kubectl("", "get", "nodecertificatestate", nodeName, "--ignore-not-found", "-o", "jsonpath="+template)
}

func (s *stage) rotate(ctx context.Context) error {
	s.first = s.thumbprint("web")
	made, err := s.vaults.Vault("shop").Rotate("web")
	if err != nil {
		return err
	}
	scene.Say("thumbprint before: %s", s.first)
	scene.Say("in the vault now:  %s", made.Thumbprint)
	renewed := time.Now()
	if err := s.nodeReports(ctx, made.Thumbprint); err != nil {
		return err
	}
	scene.Say("reported by the node after %.1f s (versions are listed every 2 s here, every minute by default; nodes poll nothing)", time.Since(renewed).Seconds())
	owned, err := s.leaves(ctx)
	if err != nil {
		return err
	}
	if len(owned["web"]) != 2 {
		return fmt.Errorf("the store holds %d versions of web, want the new one and the old one", len(owned["web"]))
	}
	err = scene.Until(ctx, "the status to follow", func() (bool, error) {
		thumbprint, err := s.kubectl("", "get", "obscert", "web", "-o", "jsonpath={.status.thumbprint}")
		return thumbprint == made.Thumbprint, err
	})
	if err != nil {
		return err
	}
	scene.Say("and in the status of the ObservedCertificate after %.1f s", time.Since(renewed).Seconds())
	scene.Say("the store has both: the old one stays, as with the extension, until revisionHistoryLimit says otherwise")
	return nil
}

// nodeReports waits until the node reports a thumbprint for web.
func (s *stage) nodeReports(ctx context.Context, thumbprint string) error {
	return scene.Until(ctx, "the node to report "+thumbprint, func() (bool, error) {
		report, err := s.report(`{.certificates[?(@.name=="web")].thumbprint}`)
		return report == thumbprint, err
	})
}

func (s *stage) rollBack(ctx context.Context) error {
	if err := s.vaults.Vault("shop").Disable("web", ""); err != nil {
		return err
	}
	disabled := time.Now()
	if err := s.nodeReports(ctx, s.first); err != nil {
		return err
	}
	scene.Say("the node reports %s again after %.1f s", s.first, time.Since(disabled).Seconds())
	condition, err := s.kubectl("", "get", "obscert", "web", "-o", `jsonpath={.status.conditions[?(@.type=="VersionWatched")].message}`)
	if err != nil {
		return err
	}
	scene.Say("VersionWatched: %s", condition)
	return nil
}

func (s *stage) repair(ctx context.Context) error {
	thumbprint := s.thumbprint("gateway")
	if err := s.machine.Forget(ctx, thumbprint); err != nil {
		return err
	}
	scene.Say("deleted %s", thumbprint)
	deleted := time.Now()
	err := scene.Until(ctx, "the repair", func() (bool, error) {
		owned, err := s.leaves(ctx)
		return len(owned["gateway"]) == 1 && owned["gateway"][0].Thumbprint == thumbprint, err
	})
	if err != nil {
		return err
	}
	scene.Say("it is back with its key after %.1f s (the store is checked every 2 s here, every minute by default)", time.Since(deleted).Seconds())
	return nil
}

func (s *stage) explainDisabled(ctx context.Context) error {
	reason, err := s.kubectl("", "get", "obscert", "old", "-o", "jsonpath={.status.failures[0].reason}")
	if err != nil {
		return err
	}
	explanation, err := s.plugin(ctx, "status")
	if err != nil {
		return err
	}
	scene.Quote("$ kubectl vaultpane status\n" + explanation)
	if !strings.Contains(explanation, "SecretDisabled: ") {
		return errors.New("kubectl vaultpane status does not explain the failure")
	}
	if reason != "SecretDisabled" {
		return fmt.Errorf("the reason is %q, want SecretDisabled", reason)
	}
	owned, err := s.leaves(ctx)
	if err != nil {
		return err
	}
	for _, name := range s.expected() {
		if len(owned[name]) == 0 {
			return fmt.Errorf("%s is not in the store", name)
		}
	}
	scene.Say("%s are in the store, untouched", strings.Join(s.expected(), ", "))
	return nil
}
