package e2emachine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// simple are settings in the extension's form or, under Wine, ObservedCertificates: the extension's form names no provider, and
// Wine does not have the default, CNG.
func simple(t *testing.T, names ...string) string {
	t.Helper()
	if native() {
		return extension(t, "MY", names...)
	}
	var wishes []wish
	for _, name := range names {
		wishes = append(wishes, wish{name: name, interval: month})
	}
	return manifest(wishes...)
}

// month is an interval of which no slot comes during a test, in seconds.
const month = 30 * 24 * 3600

// extension are the settings of the Key Vault VM extension of 2017, which has one store for all certificates.
func extension(t *testing.T, store string, names ...string) string {
	t.Helper()
	var urls []string
	for _, name := range names {
		urls = append(urls, env.shop.SecretURL(name))
	}
	text, err := json.MarshalIndent(map[string]any{"secretsManagementSettings": map[string]any{
		"pollingIntervalInS": strconv.Itoa(month), "certificateStoreName": store, "certificateStoreLocation": "LOCAL_MACHINE", "observedCertificates": urls,
	}}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wish is an ObservedCertificate of a test. The zero value of a field is not written.
type wish struct {
	name      string
	interval  int // seconds
	requested string
	policy    string
	history   int
	export    bool
	more      string // further lines of the spec, with their indentation
}

// manifest is a YAML file of ObservedCertificates.
func manifest(wishes ...wish) string {
	var text strings.Builder
	line := func(format string, value any, written bool) {
		if written {
			fmt.Fprintf(&text, format+"\n", value)
		}
	}
	for _, one := range wishes {
		line("---\napiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificate\nmetadata:\n  name: %s", one.name, true)
		line("  annotations: {vaultpane.dev/requestedAt: %q}", one.requested, one.requested != "")
		line("spec:\n  url: %s", env.shop.SecretURL(one.name), true)
		line("  pollingIntervalInS: %d", one.interval, one.interval > 0)
		line("  deletionPolicy: %s", one.policy, one.policy != "")
		line("  revisionHistoryLimit: %d", one.history, one.history > 0)
		line("  keyExportable: %v", one.export, one.export)
		line("%s", strings.TrimRight(one.more, "\n"), one.more != "")
		line("  keyStorageProvider: %s", "CAPI", !native()) // Wine has no CNG
	}
	return text.String()
}

// write replaces a settings file in one step.
func (h *host) write(t *testing.T, name, content string) {
	t.Helper()
	unfinished := filepath.Join(h.settings(), "."+name)
	if err := os.WriteFile(unfinished, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(unfinished, filepath.Join(h.settings(), name)); err != nil {
		t.Fatal(err)
	}
}

// remove removes a settings file.
func (h *host) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(h.settings(), name)); err != nil {
		t.Fatal(err)
	}
}
