package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

const controlVariable = "VAULTPANE_TEST_CONTROL"

func envFile(dir string) string { return filepath.Join(dir, "env") }

// settings are the variables for the agent, azidentity and this command.
func settings(server *keyvault.Server, vaults []string, control string) []string {
	variables := append(server.Env(),
		"VAULTPANE_CA_BUNDLE="+server.CAFile(),
		"VAULTPANE_ALLOWED_VAULT_HOSTS=localhost",
		"VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true",
		controlVariable+"="+control)
	for _, name := range vaults {
		variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		variables = append(variables, "VAULTPANE_TEST_VAULT_"+variable+"="+server.Vault(name).URL())
	}
	return variables
}

// writeEnv writes the settings for a shell atomically.
func writeEnv(dir string, variables []string) error {
	var text strings.Builder
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&text, "export %s=%s\n", name, quote(value))
	}
	temporary := envFile(dir) + ".new"
	if err := os.WriteFile(temporary, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	if err := os.Rename(temporary, envFile(dir)); err != nil {
		return fmt.Errorf("renaming the settings' file: %w", err)
	}
	return nil
}

// quote quotes a value for a POSIX shell if necessary.
func quote(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._/:-", r)
	}
	if strings.IndexFunc(value, func(r rune) bool { return !plain(r) }) < 0 {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// controlURL returns the control URL of the vaults of a folder.
func controlURL(dir string) (string, error) {
	text, err := os.ReadFile(envFile(dir))
	if err != nil {
		return "", fmt.Errorf("reading the settings, are the vaults up: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), "export "+controlVariable+"="); ok {
			return url, nil
		}
	}
	return "", fmt.Errorf("%s names no control port", envFile(dir))
}
