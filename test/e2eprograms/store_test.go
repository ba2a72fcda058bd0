package e2eprograms

import (
	"path/filepath"
	"testing"

	"github.com/vaultpane/vaultpane/test/internal/ports"
)

// The program finds its certificate by name, and takes the first: of two versions the store must have only one.
func TestAGoProgramServesFromTheStoreWithAnotherLibrary(t *testing.T) {
	name, program := "shared-library", filepath.Join(t.TempDir(), "store.exe")
	compile(t, "store", []string{"GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0"}, "go", "build", "-o", program, ".")
	first := put(t, name)
	m := newMachine(t, certificate{name, env.shop.SecretURL(name), "  revisionHistoryLimit: 0\n"})
	m.makeKeyFolder(t)
	if key := m.find(t, first).Key; key != "Present" {
		t.Fatalf("the certificate's key is %s", key)
	}
	port := freePort(t)
	m.launch(t, nil, program, "serve", ports.Address(port), name+".example.com").says(t, "store: serves")
	isServed(t, env.authority.strict, port, name, first)
	second := m.renew(t, name)
	m.gone(t, first)
	isServed(t, env.authority.strict, port, name, second)
}
