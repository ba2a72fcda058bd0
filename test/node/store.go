package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Registry runs Wine's reg and returns what it printed.
func (m *Machine) Registry(ctx context.Context, arguments ...string) (string, error) {
	output, err := m.on(ctx, "reg", nil, arguments...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("reg %s: %w\n%s", arguments[0], err, output)
	}
	return string(output), err
}

// Forget removes a certificate from the machine's store MY, as another program would: its file, or its registry key.
func (m *Machine) Forget(ctx context.Context, thumbprint string) error {
	if m.Kind == Native {
		return os.Remove(filepath.Join(m.StorePath(), "LocalMachine", "MY", thumbprint+".pem"))
	}
	_, err := m.Registry(ctx, "delete", `HKLM\Software\Microsoft\SystemCertificates\MY\Certificates\`+thumbprint, "/f")
	return err
}

// Keys returns the thumbprints for which the machine holds a private key. Under Wine it closes the machine first.
func (m *Machine) Keys() ([]string, error) {
	if m.Kind == Native {
		files, err := filepath.Glob(filepath.Join(m.StorePath(), "*", "*", "*.key"))
		for i, file := range files {
			files[i] = strings.TrimSuffix(filepath.Base(file), ".key")
		}
		return files, err
	}
	m.Close() // Wine keeps CAPI's containers in the registry, which its server writes to these files when it ends
	var keys []string
	for _, name := range []string{"system.reg", "user.reg"} {
		text, err := os.ReadFile(filepath.Join(m.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("reading the registry: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			_, container, found := strings.Cut(line, `\\RSA\\vaultpane-`)
			if found && len(container) >= 40 {
				keys = append(keys, strings.ToUpper(container[:40]))
			}
		}
	}
	return keys, nil
}
