package e2emachine

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/node"
)

const my = `LocalMachine\MY`

func (h *host) says(text string) (bool, error) {
	log, err := os.ReadFile(h.log())
	return strings.Contains(string(log), text), err
}

// held are the thumbprints that the machine's store holds of a certificate with their keys, as another process sees it.
func (h *host) held(t *testing.T, name string) ([]string, error) {
	t.Helper()
	all, err := h.List(t.Context())
	var held []string
	for _, one := range all {
		if one.Owner != name || one.Intermediate {
			continue
		}
		if !strings.EqualFold(one.Store, my) || one.Key != "Present" {
			return nil, fmt.Errorf("the store holds %+v", one)
		}
		held = append(held, one.Thumbprint)
	}
	slices.Sort(held)
	return held, err
}

// holds waits until the store holds exactly these of a certificate.
func (h *host) holds(t *testing.T, name string, thumbprints ...string) {
	t.Helper()
	slices.Sort(thumbprints)
	eventually(t, fmt.Sprintf("the store holds %v of %s", thumbprints, name), func() (bool, error) {
		held, err := h.held(t, name)
		if err == nil && !slices.Equal(held, thumbprints) {
			err = fmt.Errorf("it holds %v", held)
		}
		return err == nil, err
	})
}

// stillHolds checks that the store holds exactly these of a certificate now.
func (h *host) stillHolds(t *testing.T, name string, thumbprints ...string) {
	t.Helper()
	slices.Sort(thumbprints)
	if held, err := h.held(t, name); err != nil || !slices.Equal(held, thumbprints) {
		t.Errorf("the store holds %v of %s, want %v (%v)", held, name, thumbprints, err)
	}
}

// status waits until status has an exit code and says something, on either stream.
func (h *host) status(t *testing.T, code int, says ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("status has exit code %d and says %q", code, says), func() (bool, error) {
		got := h.tool(t, "status")
		for _, text := range says {
			if !strings.Contains(got.stdout+got.stderr, text) {
				return false, fmt.Errorf("it does not say %q: %+v", text, got)
			}
		}
		if got.code != code {
			return false, fmt.Errorf("it has exit code %d", got.code)
		}
		return true, nil
	})
}

// entries is the state of the certificates, as status prints it.
func (h *host) entries(t *testing.T) (map[string]v1alpha1.CertificateEntry, error) {
	t.Helper()
	var state v1alpha1.NodeCertificateState
	err := json.Unmarshal([]byte(h.tool(t, "status", "-o", "json").stdout), &state)
	entries := map[string]v1alpha1.CertificateEntry{}
	for _, entry := range state.Certificates {
		entries[entry.Name] = entry
	}
	return entries, err
}

// settled waits until state, store and vault agree about a certificate: its newest version is installed.
func (h *host) settled(t *testing.T, name string) {
	t.Helper()
	eventually(t, "state, store and vault agree about "+name, func() (bool, error) {
		entries, err := h.entries(t)
		if err != nil {
			return false, err
		}
		versions := env.shop.Versions(name)
		entry, want := entries[name], env.shop.Thumbprint(name)
		if entry.State != v1alpha1.StateInstalled || entry.Reason != "" || entry.Thumbprint != want || entry.Version != versions[len(versions)-1] {
			return false, fmt.Errorf("the state is %+v, want %s", entry, want)
		}
		held, err := h.held(t, name)
		return slices.Contains(held, want), err
	})
}

// poll polls certificates, and checks the exit code.
func (h *host) poll(t *testing.T, code int, names ...string) string {
	t.Helper()
	got := h.tool(t, append([]string{"poll", "--wait=1m"}, names...)...)
	if got.code != code {
		t.Fatalf("poll %v: %+v, want exit code %d", names, got, code)
	}
	return got.stdout
}

func native() bool { return env.kind == node.Native }

var limit = flag.Duration("limit", 2*time.Minute, "how long a test waits for anything before it fails")

// eventually waits until a condition holds without an error, and else ends the test.
func eventually(t *testing.T, what string, holds func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), *limit)
	defer cancel()
	if err := await.Until(ctx, what, holds); err != nil {
		t.Fatal(err)
	}
}
