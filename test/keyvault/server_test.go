package keyvault

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCloseRemovesATemporaryFolderOnly(t *testing.T) {
	for name, dir := range map[string]string{"temporary": "", "the caller's": filepath.Join(t.TempDir(), "new")} {
		t.Run(name, func(t *testing.T) {
			s, err := Start(Options{Dir: dir, Vaults: []string{"shop"}})
			if err != nil {
				t.Fatal(err)
			}
			if text, err := os.ReadFile(s.CAFile()); err != nil || !slices.Equal(text, s.CAPEM()) {
				t.Errorf("the CA's file: %v", err)
			}
			for range 2 {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			if _, err := os.Stat(s.CAFile()); os.IsNotExist(err) != (dir == "") {
				t.Errorf("after Close, the CA's file: %v", err)
			}
		})
	}
}

func TestAVaultIsNamedOnce(t *testing.T) {
	s, err := Start(Options{Dir: t.TempDir(), Vaults: []string{"shop", "shop"}})
	if err == nil {
		t.Error("started two vaults of one name", s.Close())
	}
}

func TestEnv(t *testing.T) {
	s := ForTest(t)
	want := []string{"AZURE_AUTHORITY_HOST", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"}
	if got := names(s.Env()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	want = []string{"AZURE_AUTHORITY_HOST", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID"}
	if got := names(s.EnvFederated(filepath.Join(t.TempDir(), "token"))); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
