package standalone

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/atomicfile"
)

// Annotations of the state's file.
const (
	// renewedAnnotation is when the agent last said that it runs, an RFC 3339 time. After a restart it tells which polls were missed.
	renewedAnnotation = "vaultpane.dev/renewed-at"
	// problemsAnnotation are the problems of the settings files, a line each; absent where there is none.
	problemsAnnotation = "vaultpane.dev/settings-problems"
)

// StatePath returns the state's file in a folder.
func StatePath(dir string) string { return filepath.Join(dir, "state.yaml") }

// ReadState reads the state that an agent wrote into a folder, nil where there is none.
func ReadState(dir string) (*v1alpha1.NodeCertificateState, error) {
	content, err := atomicfile.Read(StatePath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	state := &v1alpha1.NodeCertificateState{}
	if err := yaml.UnmarshalStrict(content, state); err != nil {
		return nil, fmt.Errorf("reading the state in %s: %w", StatePath(dir), err)
	}
	return state, nil
}

// RenewedAt returns when the agent of a state last said that it runs, zero where that is unknown.
func RenewedAt(state *v1alpha1.NodeCertificateState) time.Time {
	renewed, err := time.Parse(time.RFC3339, state.Annotations[renewedAnnotation])
	if err != nil {
		return time.Time{}
	}
	return renewed
}

// SettingsProblems returns what was wrong with the settings files.
func SettingsProblems(state *v1alpha1.NodeCertificateState) []string {
	if state.Annotations[problemsAnnotation] == "" {
		return nil
	}
	return strings.Split(state.Annotations[problemsAnnotation], "\n")
}
