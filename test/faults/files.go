package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// files is the front of a machine without a cluster: a folder of settings files, and the agent's own commands.
type files struct{ site *site }

func newFiles(s *site) front { return &files{s} }

func (f *files) folder() string { return filepath.Join(f.site.dir, "settings") }

func (f *files) settings() []string {
	machine := f.site.machine
	state := filepath.Join(f.site.machineDir(), "state") // on the disk that faults fill
	return append(machine.MachineSettings("vm-"+f.site.short, f.site.vaults.CAFile()),
		"VAULTPANE_STATE="+machine.Path(state), "VAULTPANE_SETTINGS="+machine.Path(f.folder()))
}

func (f *files) join(context.Context) error { return os.MkdirAll(f.folder(), 0o755) }

// write replaces the settings file in one step.
func (f *files) write(_ context.Context, certificates []*v1alpha1.ObservedCertificate) error {
	var text strings.Builder
	for _, one := range certificates {
		document, err := yaml.Marshal(map[string]any{
			"apiVersion": one.APIVersion, "kind": one.Kind, "spec": one.Spec,
			"metadata": map[string]any{"name": one.Name, "annotations": one.Annotations},
		})
		if err != nil {
			return fmt.Errorf("encoding %s: %w", one.Name, err)
		}
		text.WriteString("---\n" + string(document))
	}
	unfinished := filepath.Join(f.site.dir, "settings.unfinished")
	if err := os.WriteFile(unfinished, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return os.Rename(unfinished, filepath.Join(f.folder(), "all.yaml"))
}

func (f *files) state(ctx context.Context) (v1alpha1.NodeCertificateState, error) {
	var state v1alpha1.NodeCertificateState
	output, err := f.site.machine.Run(ctx, "vaultpane-agent", f.settings(), "status", "-o", "json")
	if parsed := json.Unmarshal([]byte(output), &state); parsed != nil {
		return state, fmt.Errorf("status prints no state: %w: %w", parsed, err)
	}
	return state, nil // its exit code says that not all is well, which the state says too
}

func (f *files) differs(context.Context, []*v1alpha1.ObservedCertificate) (string, error) {
	return "", nil
}
