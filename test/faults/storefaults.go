package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// everybody is an access list that no key of the agent's may have.
const everybody = "D:P(A;;FA;;;WD)"

func storeFaults() []fault {
	return []fault{
		{name: "certificates deleted by others", begin: deleteOpen},
		{name: "certificates changed by others", of: native, begin: changeOpen},
		{name: "files damaged", of: native, begin: damageOpen},
		{name: "store emptied", empties: true, begin: emptyStore},
		{name: "disk full", of: hasDisk, reason: v1alpha1.ReasonStoreFailure, begin: func(_ context.Context, s *site) error { return s.disk.fill() },
			end: func(_ context.Context, s *site) error { return s.disk.empty() }},
		{name: "disk read-only", of: hasDisk, reason: v1alpha1.ReasonStoreFailure, begin: func(_ context.Context, s *site) error { return s.disk.protect() },
			end: func(_ context.Context, s *site) error { return s.disk.release() }},
	}
}

// openThumbprints are those of the certificates that faults may touch.
func (s *site) openThumbprints(ctx context.Context) ([]string, error) {
	all, err := s.watch.holds(ctx)
	var found []string
	for _, one := range all {
		if strings.HasPrefix(one.Name, s.short+"-open-") && one.Store == "MY" {
			found = append(found, one.Thumbprint)
		}
	}
	return found, err
}

func deleteOpen(ctx context.Context, s *site) error {
	thumbprints, err := s.openThumbprints(ctx)
	for _, one := range thumbprints {
		err = errors.Join(err, s.machine.Forget(ctx, one))
	}
	return err
}

// changeOpen takes the friendly name and the link away, and gives everybody access to the key.
func changeOpen(ctx context.Context, s *site) error {
	return s.eachOpenFile(ctx, ".pem", func(text string) string {
		var lines []string
		for line := range strings.Lines(text) {
			switch {
			case strings.HasPrefix(line, "# access: "):
				line = "# access: " + everybody + "\n"
			case strings.HasPrefix(line, "# friendly-name: "), strings.HasPrefix(line, "# renewed-by: "):
				continue
			}
			lines = append(lines, line)
		}
		return strings.Join(lines, "")
	})
}

// damageOpen cuts certificates or keys short, empties them, or fills them with something else.
func damageOpen(ctx context.Context, s *site) error {
	suffixes := []string{".pem", ".key"}
	damages := []func(text string) string{
		func(text string) string { return text[:len(text)/2] },
		func(string) string { return "" },
		func(string) string { return strings.Repeat("\x00", 500) },
	}
	return s.eachOpenFile(ctx, suffixes[s.random.IntN(2)], damages[s.random.IntN(3)])
}

func (s *site) eachOpenFile(ctx context.Context, suffix string, change func(text string) string) error {
	thumbprints, err := s.openThumbprints(ctx)
	if err != nil {
		return err
	}
	for _, one := range thumbprints {
		file := filepath.Join(s.machine.StorePath(), "LocalMachine", "MY", one+suffix)
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("damaging a file: %w", err)
		}
		if err := os.WriteFile(file, []byte(change(string(text))), 0o600); err != nil {
			return fmt.Errorf("damaging a file: %w", err)
		}
	}
	return nil
}

// emptyStore removes the agent's certificates, and the folders of the stores where nothing else is. Under Wine it deletes the
// agent's certificates.
func emptyStore(ctx context.Context, s *site) error {
	if !s.native() {
		all, err := s.watch.holds(ctx)
		for _, one := range all {
			if one.Name != otherName && one.Store == "MY" {
				err = errors.Join(err, s.machine.Forget(ctx, one.Thumbprint))
			}
		}
		return err
	}
	machine := filepath.Join(s.machine.StorePath(), "LocalMachine")
	certificates, err := filepath.Glob(filepath.Join(machine, "*", "*.pem"))
	keys, failed := filepath.Glob(filepath.Join(machine, "*", "*.key"))
	err = errors.Join(err, failed)
	for _, file := range append(certificates, keys...) { // no certificate is without its key
		if s.others[file] != nil {
			continue
		}
		if failed := os.Remove(file); !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	stores, failed := os.ReadDir(machine)
	err = errors.Join(err, failed)
	for _, store := range stores {
		if store.Name() != "MY" { // where the files of others are
			err = errors.Join(err, os.RemoveAll(filepath.Join(machine, store.Name())))
		}
	}
	return err
}
