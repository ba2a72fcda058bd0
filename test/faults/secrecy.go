package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// piece is how many characters of a secret are looked for at once.
const piece = 32

// secrecy looks for the vaults' values and for tokens in everything that the processes have written.
func (w *world) secrecy(ctx context.Context) error {
	secret := map[string]bool{}
	for _, s := range w.sites {
		for _, value := range append(s.vault.Values(), s.vaults.Secrets()...) {
			for line := range strings.Lines(value) {
				if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
					addPieces(secret, line)
				}
			}
		}
		for _, one := range publicLines(s.vault.Values()) {
			delete(secret, one)
		}
	}
	written, err := w.written(ctx)
	if err != nil {
		return err
	}
	start, total := time.Now(), 0
	for where, text := range written {
		total += len(text)
		if at := find(secret, text); at >= 0 {
			w.results.violation(where, []string{"in the end"}, "a piece of a secret was written: "+text[max(0, at-100):at])
		}
	}
	fmt.Printf("faults: %d bytes of output hold none of %d pieces of secrets (%s)\n", total, len(secret), time.Since(start).Round(time.Millisecond))
	return nil
}

func addPieces(into map[string]bool, line string) {
	for ; len(line) >= piece; line = line[piece:] {
		into[line[:piece]] = true
	}
}

// publicLines are the pieces of certificates in values in PEM, which are no secret.
func publicLines(values []string) []string {
	public := map[string]bool{}
	for _, value := range values {
		_, certificates, _ := strings.Cut(value, "-----BEGIN CERTIFICATE-----")
		for line := range strings.Lines(certificates) {
			addPieces(public, strings.TrimSpace(line))
		}
	}
	var pieces []string
	for one := range public {
		pieces = append(pieces, one)
	}
	return pieces
}

// find returns where in a text one of the pieces begins, -1 for nowhere.
func find(pieces map[string]bool, text string) int {
	for at := 0; at+piece <= len(text); at++ {
		if pieces[text[at:at+piece]] {
			return at
		}
	}
	return -1
}

// written is what the agents and the controller logged, what the agents' metrics and the state files of machines say, and what all
// wrote to the API server.
func (w *world) written(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	for _, s := range w.sites {
		all["the metrics of "+s.name] = s.exposed
	}
	logs, err := filepath.Glob(filepath.Join(w.dir, "*", "*.log"))
	if err != nil {
		return nil, err
	}
	states, err := filepath.Glob(filepath.Join(w.dir, "*", "machine", "state", "*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, path := range append(logs, states...) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading what was written: %w", err)
		}
		all[path] = string(text)
	}
	for _, list := range []client.ObjectList{&v1alpha1.NodeCertificateStateList{}, &v1alpha1.ObservedCertificateList{}, &eventsv1.EventList{}} {
		if err := w.cluster.kube.List(ctx, list); err != nil {
			return nil, err
		}
		text, err := json.Marshal(list)
		if err != nil {
			return nil, fmt.Errorf("encoding a list: %w", err)
		}
		all[fmt.Sprintf("%T", list)] = string(text)
	}
	return all, nil
}
