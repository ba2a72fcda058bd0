package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/vaultpane/vaultpane/test/demo/scene"
)

// step is a command with what it printed, in which nothing differs from run to run.
type step struct {
	command, output string
	// pictured reports that the step is in the picture too.
	pictured bool
}

// pictured are the commands of the picture.
var pictured = map[string]bool{
	"kubectl vaultpane convert vmss.json > certificates.yaml": true, "kubectl apply -f certificates.yaml": true,
	"kubectl vaultpane status": true, poll: true,
}

const poll = "kubectl vaultpane poll web --wait      # renewed in the vault"

// record plays the session.
func record(ctx context.Context, s *stage) ([]step, error) {
	n := newNormalizer(s.vaults.Vault("shop").URL())
	var steps []step
	add := func(command, output string) {
		steps = append(steps, step{command, n.normalize(output), pictured[command]})
	}
	plugin := func(command string) error {
		output, err := s.plugin(ctx, strings.Fields(strings.TrimPrefix(command, "kubectl vaultpane "))...)
		add(command, output)
		return err
	}
	if err := s.convert(ctx, n, add); err != nil {
		return nil, err
	}
	if err := plugin("kubectl vaultpane plan -f certificates.yaml"); err != nil {
		return nil, err
	}
	output, err := s.kubectl("", "apply", "-f", s.path("certificates.yaml"))
	if err != nil {
		return nil, err
	}
	add("kubectl apply -f certificates.yaml", output)
	if err := s.settled(ctx); err != nil {
		return nil, err
	}
	for _, command := range []string{"kubectl vaultpane status", "kubectl vaultpane status old"} {
		if err := plugin(command); err != nil {
			return nil, err
		}
	}
	if _, err := s.vaults.Vault("shop").Rotate("web"); err != nil {
		return nil, err
	}
	output, err = s.plugin(ctx, "poll", "web", "--wait")
	if err != nil {
		return nil, err
	}
	add(poll, ends(output))
	if err := s.rolledUp(ctx); err != nil {
		return nil, err
	}
	for _, command := range []string{"kubectl vaultpane status --node aksweb000000", "kubectl vaultpane convert --check vmss.json"} {
		if err := plugin(command); err != nil {
			return nil, err
		}
	}
	return steps, nil
}

// convert records the conversion with the vault's name as people have it, and then gives both files the address of the endpoint.
func (s *stage) convert(ctx context.Context, n *normalizer, add func(command, output string)) error {
	output, err := s.plugin(ctx, "convert", "vmss.json")
	if err != nil {
		return err
	}
	at := strings.Index(output, "\n3 certificates")
	if at < 0 {
		at = strings.Index(output, "3 certificates") - 1
	}
	manifests, report := output[:max(at, 0)], output[at+1:]
	report, _, _ = strings.Cut(report, "\nWhat else")
	add("kubectl vaultpane convert vmss.json > certificates.yaml", report)
	for name, content := range map[string]string{"certificates.yaml": manifests, "vmss.json": scaleSets} {
		content = strings.ReplaceAll(content, "https://"+shown, n.url)
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// settled waits until every certificate has its final status.
func (s *stage) settled(ctx context.Context) error {
	return scene.Until(ctx, "the status of every certificate", func() (bool, error) {
		status, err := s.kubectl("", "get", "obscert", "-o", `jsonpath={range .items[*]}{.metadata.generation}{.status.observedGeneration} {.status.conditions[?(@.type=="Ready")].reason} {.status.conditions[?(@.type=="Reconciling")].status} {.status.nodes.summary}{"\n"}{end}`)
		want := []string{"11 SecretDisabled", "0/2", "11 Installed", "1/1", "11 Installed", "3/3"}
		for _, part := range want {
			if !strings.Contains(status, part) {
				return false, err
			}
		}
		return true, err
	})
}

// rolledUp waits until the status has the newest version of web.
func (s *stage) rolledUp(ctx context.Context) error {
	return scene.Until(ctx, "the new version in the status", func() (bool, error) {
		thumbprint, err := s.kubectl("", "get", "obscert", "web", "-o", "jsonpath={.status.thumbprint}")
		if err != nil || thumbprint != s.vaults.Vault("shop").Thumbprint("web") {
			return false, err
		}
		return true, s.settled(ctx)
	})
}

// ends leaves out the lines of progress between the first line and the last, which depend on the time.
func ends(output string) string {
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	if len(lines) > 2 {
		lines = []string{lines[0], lines[len(lines)-1]}
	}
	return strings.Join(lines, "\n")
}
