package main

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"debug/pe"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// of is what the tests build.
var of = release{version: "v1.2.3-test", commit: "0123456789abcdef0123456789abcdef01234567", created: time.Unix(1767225600, 0)}

// made is the folder that was built into, empty when no test needed it.
var made string

// built returns a folder in which everything was built, once for all tests.
var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "images")
	if err != nil {
		return "", err
	}
	made = folder
	return folder, makeInto(folder, repository)
})

// repository is the folder of what is built.
var repository = filepath.Join("..", "..")

func TestMain(m *testing.M) {
	code := m.Run()
	if folder := made; folder != "" {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

func makeInto(folder, root string) error {
	_, err := maker{
		root: root, out: folder, release: of,
		origin:   origin{source: source, builder: "https://example.com/builder", invocation: "https://example.com/runs/1"},
		progress: func(string, ...any) {},
	}.make(context.Background())
	return err
}

func folder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds all programs")
	}
	out, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func index(t *testing.T, name string) v1.ImageIndex {
	t.Helper()
	out, err := readLayout(filepath.Join(folder(t), "images", name))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The second one is of another folder, without git, with all in the environment that might make a difference. The folder
// has what the Dockerfile's context has, so this builds from it too.
func TestTwoBuildsAreEqualToTheLastByte(t *testing.T) {
	first, second, root := folder(t), t.TempDir(), filepath.Join(t.TempDir(), "another folder")
	copyContext(t, root)
	settings := filepath.Join(t.TempDir(), "env") // as `go env -w` writes it
	if err := os.WriteFile(settings, []byte("GOFLAGS=-gcflags=-N\nGOEXPERIMENT=fieldtrack\nGOAMD64=v3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"GOENV": settings, "GOARM64": "v9.0", "CGO_ENABLED": "1", "TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "GOWORK": "off",
	} {
		t.Setenv(name, value)
	}
	stale := filepath.Join(second, "sbom", "vaultpane-agent-plan9-mips.cdx.json") // of an earlier run
	if err := os.MkdirAll(filepath.Dir(stale), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeInto(second, root); err != nil {
		t.Fatal(err)
	}
	want, got := filesUnder(t, first), filesUnder(t, second)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(want) < 30 {
		t.Errorf("only %d files were compared", len(want))
	}
}

// copyContext copies what .dockerignore lets through.
func copyContext(t *testing.T, to string) {
	t.Helper()
	rules, err := os.ReadFile(filepath.Join(repository, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(rules)) {
		name, kept := strings.CutPrefix(strings.TrimSpace(line), "!")
		if !kept {
			continue
		}
		from, target := filepath.Join(repository, name), filepath.Join(to, name)
		if info, err := os.Stat(from); err == nil && info.IsDir() {
			if err := os.CopyFS(target, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// filesUnder returns what is in a folder, each file as its content's hash.
func filesUnder(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		hash, _, err := v1.SHA256(bytes.NewReader(content))
		name, _ := filepath.Rel(root, path)
		out[name] = hash.Hex
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Everything that an image has, as a person would list it: how it starts, and each name with its mode, layer by layer.
func TestWhatTheImagesHold(t *testing.T) {
	linux := func(name string) string {
		return `start [/` + name + `] as 65532:65532 in / with [PATH=/ SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt]
755 etc/
644 etc/group
644 etc/passwd
755 etc/ssl/
755 etc/ssl/certs/
644 etc/ssl/certs/ca-certificates.crt
644 LICENSE
755 ` + name + "\n"
	}
	windows := `start [vaultpane-agent.exe] as  in  with [PATH=C:\Windows\system32;C:\Windows;C:\Windows\System32\WindowsPowerShell\v1.0]
755 Files/
755 Files/Windows/
755 Files/Windows/System32/
755 Files/Windows/System32/config/
755 Files/Windows/System32/config/DEFAULT
755 Files/Windows/System32/config/SAM
755 Files/Windows/System32/config/SECURITY
755 Files/Windows/System32/config/SOFTWARE
755 Files/Windows/System32/config/SYSTEM
755 Files/
755 Files/LICENSE
755 Files/vaultpane-agent.exe
755 Hives/
`
	tests := map[string]map[string]string{
		"vaultpane-agent":      {"windows/amd64": windows, "linux/amd64": linux("vaultpane-agent"), "linux/arm64": linux("vaultpane-agent")},
		"vaultpane-controller": {"linux/amd64": linux("vaultpane-controller"), "linux/arm64": linux("vaultpane-controller")},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			each(t, index(t, name), func(platform v1.Platform, image v1.Image) { got[platform.String()] = listing(t, image) })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func each(t *testing.T, index v1.ImageIndex, do func(v1.Platform, v1.Image)) {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		do(*d.Platform, image)
	}
}

func listing(t *testing.T, image v1.Image) string {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := file.Config
	out := fmt.Sprintf("start %v as %s in %s with %v\n", c.Entrypoint, c.User, c.WorkingDir, c.Env)
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers {
		reader, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for archive := tar.NewReader(reader); ; {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if !header.ModTime.Equal(of.created) || header.Uid != 0 || header.Gid != 0 {
				t.Errorf("%s is of %s, %d:%d", header.Name, header.ModTime, header.Uid, header.Gid)
			}
			if windows := file.OS == "windows"; windows != (header.PAXRecords["MSWINDOWS.rawsd"] != "") {
				t.Errorf("%s for %s has records %v", header.Name, file.OS, header.PAXRecords)
			}
			out += fmt.Sprintf("%o %s\n", header.Mode, header.Name)
		}
	}
	return out
}

func TestLabels(t *testing.T) {
	want := map[string]string{
		"org.opencontainers.image.title": "vaultpane-controller", "org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.description": "Rolls up what the nodes report, and removes the startup taint from them",
		"org.opencontainers.image.source":      "https://github.com/vaultpane/vaultpane",
		"org.opencontainers.image.version":     "v1.2.3-test", "org.opencontainers.image.created": "2026-01-01T00:00:00Z",
		"org.opencontainers.image.revision": "0123456789abcdef0123456789abcdef01234567",
	}
	each(t, index(t, "vaultpane-controller"), func(platform v1.Platform, image v1.Image) {
		file, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, file.Config.Labels); diff != "" {
			t.Errorf("%s: %s", platform, diff)
		}
	})
}

// Every entry must be pulled by the platform that it is for, and a Windows host of any version.
func TestNoEntryNamesAVersionOfWindows(t *testing.T) {
	manifest, err := index(t, "vaultpane-agent").IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Manifests {
		if d.Platform.OSVersion != "" || len(d.Platform.OSFeatures) > 0 || d.ArtifactType != "" {
			t.Errorf("got %+v", d)
		}
	}
}

func TestTheCheckFindsWhatIsWrong(t *testing.T) {
	p := products[1]
	tests := []struct {
		name   string
		change func(v1.Image, *v1.ConfigFile) v1.Image
		says   string
	}{
		{"nothing", func(i v1.Image, _ *v1.ConfigFile) v1.Image { return i }, ""},
		{"root", func(i v1.Image, c *v1.ConfigFile) v1.Image { c.Config.User = ""; return reconfigured(i, c) }, "its user is , want 65532:65532"},
		{"another entrypoint", func(i v1.Image, c *v1.ConfigFile) v1.Image {
			c.Config.Entrypoint = []string{"/bin/sh"}
			return reconfigured(i, c)
		}, "its entrypoint is [/bin/sh]"},
		{"arguments", func(i v1.Image, c *v1.ConfigFile) v1.Image { c.Config.Cmd = []string{"x"}; return reconfigured(i, c) }, "its command is [x]"},
		{"a version of Windows", func(i v1.Image, c *v1.ConfigFile) v1.Image { c.OSVersion = "10.0.20348"; return reconfigured(i, c) }, "mismatched OSVersion: 10.0.20348"},
		{"another label", func(i v1.Image, c *v1.ConfigFile) v1.Image {
			c.Config.Labels = map[string]string{"a": "b"}
			return reconfigured(i, c)
		}, "its labels is map[a:b]"},
		{"a shell", func(i v1.Image, _ *v1.ConfigFile) v1.Image {
			return with(i, entry{name: "bin/sh", mode: 0o755, content: []byte("x")})
		}, "bin/sh"},
		{"another program", func(i v1.Image, _ *v1.ConfigFile) v1.Image {
			return with(i, entry{name: p.name, mode: 0o755, content: []byte("x")})
		}, "its program: unrecognized file format"},
	}
	images := map[string]v1.Image{}
	each(t, index(t, p.name), func(platform v1.Platform, image v1.Image) { images[platform.String()] = image })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file, err := images["linux/amd64"].ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			err = checked(t, p, test.change(images["linux/amd64"], file.DeepCopy()), images["linux/arm64"])
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want %q in it", err, test.says)
			}
		})
	}
	t.Run("a program of another platform", func(t *testing.T) {
		program, err := os.ReadFile(filepath.Join(folder(t), "bin", p.fileName(p.platforms[1])))
		if err != nil {
			t.Fatal(err)
		}
		image, err := p.image(of, p.platforms[0], program)
		if err != nil {
			t.Fatal(err)
		}
		if err := checked(t, p, image, images["linux/arm64"]); err == nil || !strings.Contains(err.Error(), "its program is for linux/arm64") {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("a program of another Go", func(t *testing.T) {
		program, err := os.ReadFile(filepath.Join(folder(t), "bin", p.fileName(p.platforms[0])))
		if err != nil {
			t.Fatal(err)
		}
		other := "go1." + strings.Repeat("0", len(runtime.Version())-4)
		program = bytes.ReplaceAll(program, []byte(runtime.Version()), []byte(other))
		image := with(images["linux/amd64"], entry{name: p.name, mode: 0o755, content: program})
		if err := checked(t, p, image, images["linux/arm64"]); err == nil || !strings.Contains(err.Error(), "its program is of "+other) {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("a platform is missing", func(t *testing.T) {
		err := checked(t, p, images["linux/amd64"])
		if err == nil || !strings.Contains(err.Error(), "its platforms are [linux/amd64], want [linux/amd64 linux/arm64]") {
			t.Errorf("got error %v", err)
		}
	})
}

// checked writes an index of these images, reads it back, and checks it.
func checked(t *testing.T, p product, images ...v1.Image) error {
	t.Helper()
	index, err := p.index(of, images)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "layout")
	if _, err := writeLayout(folder, p.name, index); err != nil {
		t.Fatal(err)
	}
	back, err := readLayout(folder)
	if err != nil {
		t.Fatal(err)
	}
	return p.check(of, back)
}

func reconfigured(image v1.Image, file *v1.ConfigFile) v1.Image {
	out, err := mutate.ConfigFile(image, file)
	if err != nil {
		panic(err)
	}
	return out
}

func with(image v1.Image, e entry) v1.Image {
	extra, err := layer([]entry{e}, of.created)
	if err != nil {
		panic(err)
	}
	out, err := mutate.Append(image, mutate.Addendum{Layer: extra, MediaType: types.OCILayer})
	if err != nil {
		panic(err)
	}
	return out
}

func TestTheProgramsAreStrippedAndSayTheirVersion(t *testing.T) {
	bin := filepath.Join(folder(t), "bin")
	for _, name := range []string{"vaultpane-agent-linux-amd64", "vaultpane-agent-linux-arm64", "vaultpane-controller-linux-amd64", "vaultpane-controller-linux-arm64"} {
		program, err := elf.Open(filepath.Join(bin, name))
		if err != nil {
			t.Fatal(err)
		}
		libraries, _ := program.ImportedLibraries()
		if program.Section(".symtab") != nil || program.Section(".debug_info") != nil || program.Section(".zdebug_info") != nil || len(libraries) > 0 {
			t.Errorf("%s is not stripped or not static", name)
		}
		_ = program.Close()
	}
	program, err := pe.Open(filepath.Join(bin, "vaultpane-agent-windows-amd64.exe"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	if program.Section(".debug_info") != nil || len(program.Symbols) > 0 {
		t.Error("the program for Windows is not stripped")
	}
	for _, p := range products {
		out, err := exec.Command(filepath.Join(bin, p.name+"-linux-"+runtime.GOARCH), "--version").Output()
		if err != nil || string(out) != p.name+" v1.2.3-test\n" {
			t.Errorf("%s says %q, error %v", p.name, out, err)
		}
	}
}

func TestTheBillNamesEveryModule(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(folder(t), "sbom", "vaultpane-agent-windows-amd64.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(content), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range *bom.Components {
		got[c.Name] = c.PackageURL
		if c.Version == "" || strings.Contains(c.Version, "devel") {
			t.Errorf("%s has version %q", c.Name, c.Version)
		}
	}
	listed, err := exec.Command("go", "version", "-m", filepath.Join(folder(t), "bin", "vaultpane-agent-windows-amd64.exe")).Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for line := range strings.Lines(string(listed)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "dep" {
			modules++
			if !strings.HasPrefix(got[fields[1]], "pkg:golang/"+fields[1]+"@") {
				t.Errorf("%s is not in the bill", fields[1])
			}
		}
	}
	if _, ok := got["golang.org/x/crypto/x509roots/fallback"]; ok {
		t.Error("the bill for Windows names roots, which Windows has itself")
	}
	if modules < 20 || len(got) != modules+2 || got["stdlib"] == "" || got["vaultpane-agent.exe"] != "pkg:golang/github.com/vaultpane/vaultpane@v1.2.3-test" {
		t.Errorf("got %d modules and %d components, of them %q", modules, len(got), got["vaultpane-agent.exe"])
	}
}

func TestTheBillForLinuxNamesTheRoots(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(folder(t), "sbom", "vaultpane-controller-linux-arm64.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	required, err := exec.Command("go", "list", "-m", "-f", "pkg:golang/{{.Path}}@{{.Version}}", "golang.org/x/crypto/x509roots/fallback").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(string(required)); !strings.Contains(string(content), `"purl": "`+want+`"`) {
		t.Errorf("%s is not in the bill", want)
	}
}

func TestTheProvenanceOfChangedFilesNamesNoCommitAsTheirs(t *testing.T) {
	o := origin{source: "https://example.com/fork"}
	tests := []struct {
		name, commit string
		want         material
	}{
		{"as committed", "0123", material{URI: "git+https://example.com/fork", Digest: map[string]string{"gitCommit": "0123"}}},
		{"changed", "0123-dirty", material{URI: "git+https://example.com/fork", Annotations: map[string]string{"changedUpon": "0123"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, o.material(test.commit)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheProvenanceNamesCommitAndBuilder(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(folder(t), "provenance", "vaultpane-agent.slsa.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got provenance
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	want := provenance{
		BuildDefinition: buildDefinition{
			BuildType:            "https://github.com/vaultpane/vaultpane/blob/main/docs/release.md#images",
			ExternalParameters:   map[string]string{"command": "make images", "image": "vaultpane-agent", "version": "v1.2.3-test"},
			InternalParameters:   map[string]string{"go": runtime.Version(), "created": "2026-01-01T00:00:00Z"},
			ResolvedDependencies: []material{{URI: "git+https://github.com/vaultpane/vaultpane", Digest: map[string]string{"gitCommit": of.commit}}},
		},
		RunDetails: runDetails{Builder: map[string]string{"id": "https://example.com/builder"}, Metadata: map[string]string{"invocationId": "https://example.com/runs/1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
