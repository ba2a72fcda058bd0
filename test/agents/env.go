package agents

import (
	"fmt"
	"os"
	"strings"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// SetEnv sets the vaults' identity in the environment of this process.
func SetEnv(vaults *keyvault.Server) error {
	for _, variable := range vaults.Env() {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
}
