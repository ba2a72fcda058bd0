package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var commit = time.Unix(1_700_000_000, 0).UTC()

// contents lists an archive: mode, time, owner and size of each file.
func contents(t *testing.T, name string, content []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	if strings.HasSuffix(name, ".zip") {
		reader, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range reader.File {
			files[f.Name] = f.Mode().String() + " " + f.Modified.UTC().Format(time.RFC3339)
		}
		return files
	}
	compressed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for reader := tar.NewReader(compressed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = header.FileInfo().Mode().String() + " " + header.ModTime.UTC().Format(time.RFC3339)
		if header.Uid != 0 || header.Gid != 0 || header.Uname != "" {
			t.Errorf("%s belongs to %d:%d %q", header.Name, header.Uid, header.Gid, header.Uname)
		}
	}
}

func TestPack(t *testing.T) {
	for goos, program := range map[string]string{"linux": "kubectl-vaultpane", "darwin": "kubectl-vaultpane", "windows": "kubectl-vaultpane.exe"} {
		one := archive{OS: goos, Arch: "arm64"}
		first, err := one.pack([]byte("program"), []byte("licence"), commit)
		if err != nil {
			t.Fatal(err)
		}
		second, err := one.pack([]byte("program"), []byte("licence"), commit)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%s: two archives of the same differ", goos)
		}
		want := map[string]string{"LICENSE": "-rw-r--r-- 2023-11-14T22:13:20Z", program: "-rwxr-xr-x 2023-11-14T22:13:20Z"}
		if diff := cmp.Diff(want, contents(t, one.name(), first)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", goos, diff)
		}
	}
}

// TestKrew checks what Krew's own validation does: a semantic version with v, a checksum and a program for each platform.
func TestKrew(t *testing.T) {
	sum := sha256.Sum256(nil)
	content, err := krew("v1.2.3", "https://example.com/download", []archive{{"linux", "amd64", hex.EncodeToString(sum[:])}, {"windows", "arm64", hex.EncodeToString(sum[:])}})
	if err != nil {
		t.Fatal(err)
	}
	var manifest plugin
	if err := yaml.UnmarshalStrict(content, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Metadata["name"] != "vaultpane" || !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(manifest.Spec.Version) || len(manifest.Spec.ShortDescription) > 50 {
		t.Errorf("got %+v", manifest)
	}
	want := []platform{
		{selector{map[string]string{"os": "linux", "arch": "amd64"}}, "https://example.com/download/v1.2.3/kubectl-vaultpane-linux-amd64.tar.gz", hex.EncodeToString(sum[:]), "kubectl-vaultpane"},
		{selector{map[string]string{"os": "windows", "arch": "arm64"}}, "https://example.com/download/v1.2.3/kubectl-vaultpane-windows-arm64.zip", hex.EncodeToString(sum[:]), "kubectl-vaultpane.exe"},
	}
	if diff := cmp.Diff(want, manifest.Spec.Platforms); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRun builds this platform's archive twice, from two folders, and runs what is in it.
func TestRun(t *testing.T) {
	var archives [2][]byte
	for i := range archives {
		o := options{version: "v1.2.3", out: filepath.Join(t.TempDir(), "out"), root: "../..", base: "https://example.com", platforms: runtime.GOOS + "/" + runtime.GOARCH, epoch: commit.Unix()}
		if i == 1 { // the path of the sources must not matter
			linked := filepath.Join(t.TempDir(), "elsewhere")
			root, err := filepath.Abs("../..")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(root, linked); err != nil {
				t.Skip("no links here:", err)
			}
			o.root = linked
		}
		if err := run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		one := archive{OS: runtime.GOOS, Arch: runtime.GOARCH}
		content, err := os.ReadFile(filepath.Join(o.out, one.name()))
		if err != nil {
			t.Fatal(err)
		}
		archives[i] = content
		sums, err := os.ReadFile(filepath.Join(o.out, "SHA256SUMS"))
		if sum := sha256.Sum256(content); err != nil || string(sums) != hex.EncodeToString(sum[:])+"  "+one.name()+"\n" {
			t.Errorf("SHA256SUMS is %q: %v", sums, err)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two builds of the same sources differ")
	}
	program := filepath.Join(t.TempDir(), archive{OS: runtime.GOOS}.program())
	if err := os.WriteFile(program, extracted(t, archives[0]), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "version", "--client").CombinedOutput(); err != nil || !strings.Contains(string(out), "v1.2.3") {
		t.Errorf("version prints %q: %v", out, err)
	}
}

// extracted returns the program of a tar archive.
func extracted(t *testing.T, content []byte) []byte {
	t.Helper()
	compressed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for reader := tar.NewReader(compressed); ; {
		header, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if header.Name == "kubectl-vaultpane" {
			program, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			return program
		}
	}
}
