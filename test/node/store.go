package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// registryProgram is Wine's reg by its path: while Wine boots, it may not find it by its name.
const registryProgram = `C:\windows\system32\reg.exe`

// Registry runs Wine's reg and returns what it printed.
func (m *Machine) Registry(ctx context.Context, arguments ...string) (string, error) {
	output, err := m.on(ctx, registryProgram, nil, arguments...).CombinedOutput()
	if err = unlessHeld(err); err != nil {
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
	keys, err := m.standInKeys()
	if err != nil {
		return nil, err
	}
	m.Close() // Wine keeps CAPI's containers in the registry, which its server writes to these files when it ends
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

// standInKeys returns the thumbprints of keys in CNG, each a file of the stand-in of hack/wine: four numbers, and the key's name in
// UTF-16.
func (m *Machine) standInKeys() ([]string, error) {
	var keys []string
	for _, folder := range []string{"ProgramData", filepath.Join("users", "*", "AppData", "Roaming")} {
		files, err := filepath.Glob(filepath.Join(m.Dir, "drive_c", folder, "Microsoft", "Crypto", "Keys", "*_standin"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading a key: %w", err)
			}
			var name []uint16
			for rest := content[min(16, len(content)):]; len(rest) >= 2 && (rest[0] != 0 || rest[1] != 0); rest = rest[2:] {
				name = append(name, binary.LittleEndian.Uint16(rest))
			}
			if _, thumbprint, found := strings.Cut(string(utf16.Decode(name)), "vaultpane-"); found && len(thumbprint) >= 40 {
				keys = append(keys, thumbprint[:40])
			}
		}
	}
	return keys, nil
}
