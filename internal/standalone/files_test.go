package standalone

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// entry is the extension's settings with these secrets.
func extension(secrets ...string) string {
	var urls []string
	for _, secret := range secrets {
		urls = append(urls, fmt.Sprintf("%q", "https://shop.vault.azure.net/secrets/"+secret))
	}
	return `{"observedCertificates": [` + strings.Join(urls, ", ") + `]}`
}

// manifest is an ObservedCertificate of a secret.
func manifest(name, secret string) string {
	return "apiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificate\nmetadata:\n  name: " + name +
		"\nspec:\n  url: https://shop.vault.azure.net/secrets/" + secret + "\n"
}

const half = `{"observedCertificates": ["https://shop.vault.azure.net/sec`

// step is a change of a folder, and what the files hold then.
type step struct {
	name       string
	write      map[string]string // an empty content removes the file
	want       string            // names of certificates
	incomplete bool
	problems   []string // each is part of one
}

func TestWhatAFolderHolds(t *testing.T) {
	tests := []struct {
		name  string
		steps []step
	}{
		{"a wrong file changes nothing, and is told until it is right", []step{
			{"right", map[string]string{"a.json": extension("one", "two")}, "one two", false, nil},
			{"half written", map[string]string{"a.json": half}, "one two", true, []string{"a.json:1: the JSON ends too early"}},
			{"still", nil, "one two", true, []string{"a.json:1: the JSON ends too early"}},
			{"right again", map[string]string{"a.json": extension("three")}, "three", false, nil},
		}},
		{"a file that was never right hides certificates that may exist", []step{
			{"wrong", map[string]string{"a.json": half, "b.yaml": manifest("web", "web")}, "web", true, []string{"a.json:1: "}},
			{"right", map[string]string{"a.json": extension("one")}, "one web", false, nil},
		}},
		{"a file that is gone among others asks for nothing", []step{
			{"two files", map[string]string{"a.json": extension("one"), "b.json": extension("two")}, "one two", false, nil},
			{"one", map[string]string{"b.json": ""}, "one", false, nil},
		}},
		{"an empty folder is no wish to remove everything, and an empty list is", []step{
			{"a file", map[string]string{"a.json": extension("one")}, "one", false, nil},
			{"none", map[string]string{"a.json": ""}, "one", true, []string{"has no settings file"}},
			{"an empty list", map[string]string{"a.json": `{"observedCertificates": []}`}, "", false, nil},
		}},
		{"an empty folder at the start", []step{
			{"none", nil, "", true, []string{"has no settings file (.json, .yaml, .yml, .settings)"}},
		}},
		{"a name that another file has: what was in use first stays", []step{
			{"the first", map[string]string{"b.yaml": manifest("web", "one")}, "web", false, nil},
			{"another, whose name comes first", map[string]string{"a.yaml": manifest("web", "two")}, "web", true, []string{"a.yaml:4: metadata.name is \"web\": the ObservedCertificate at "}},
			{"renamed", map[string]string{"a.yaml": manifest("web-2", "two")}, "web web-2", false, nil},
			{"the first takes the other's name", map[string]string{"b.yaml": manifest("web-2", "one")}, "web web-2", true, []string{"b.yaml:4: metadata.name is \"web-2\""}},
		}},
		{"two new files with one name: the first by its path is right", []step{
			{"both", map[string]string{"b.yaml": manifest("web", "two"), "a.yaml": manifest("web", "one")}, "web", true, []string{"b.yaml:4: metadata.name is \"web\""}},
		}},
		{"a certificate that moves to another file stays", []step{
			{"before", map[string]string{"a.yaml": manifest("web", "one"), "c.json": extension("x")}, "web x", false, nil},
			{"after", map[string]string{"a.yaml": "", "b.yaml": manifest("web", "one")}, "web x", false, nil},
		}},
		{"files with other names, and hidden ones, are not read", []step{
			{"others", map[string]string{"a.json": extension("one"), "b.json.bak": half, ".c.json": half, "notes.txt": half, "environment": half, "d.json~": half}, "one", false, nil},
			{"any case, and RuntimeSettings", map[string]string{"0.settings": extension("two"), "E.JSON": extension("three")}, "one three two", false, nil},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := winetest.TempDir(t)
			files := &Files{Paths: []string{dir}}
			for _, step := range test.steps {
				write(t, dir, step.write)
				want(t, step, files.Look())
			}
		})
	}
}

func want(t *testing.T, step step, found Found) {
	t.Helper()
	var names []string
	for _, certificate := range found.Certificates {
		names = append(names, certificate.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != step.want || found.Incomplete != step.incomplete {
		t.Errorf("%s: it has %q, incomplete %t; want %q, %t", step.name, got, found.Incomplete, step.want, step.incomplete)
	}
	if len(found.Problems) != len(step.problems) {
		t.Fatalf("%s: the problems are %q, want %q", step.name, found.Problems, step.problems)
	}
	for i, part := range step.problems {
		if !strings.Contains(found.Problems[i], part) {
			t.Errorf("%s: the problem is %q, want %q in it", step.name, found.Problems[i], part)
		}
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if content == "" {
			must(t, os.Remove(path))
			continue
		}
		must(t, os.WriteFile(path, []byte(content), 0o600))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFolderThatVanishesRemovesNothing(t *testing.T) {
	dir := filepath.Join(winetest.TempDir(t), "settings")
	must(t, os.Mkdir(dir, 0o700))
	files := &Files{Paths: []string{dir}}
	write(t, dir, map[string]string{"a.json": extension("one"), "b.json": half})
	want(t, step{"there", nil, "one", true, []string{"b.json:1: "}}, files.Look())
	must(t, os.Rename(dir, dir+"-away"))
	want(t, step{"away", nil, "one", true, []string{"cannot be read: "}}, files.Look())
	must(t, os.Rename(dir+"-away", dir))
	must(t, os.Remove(filepath.Join(dir, "b.json")))
	want(t, step{"back", nil, "one", false, nil}, files.Look())
}

func TestAFileThatIsNamedAndMissingChangesNothing(t *testing.T) {
	path := filepath.Join(winetest.TempDir(t), "any-name")
	files := &Files{Paths: []string{path}}
	want(t, step{"missing at the start", nil, "", true, []string{path + " cannot be read: "}}, files.Look())
	must(t, os.WriteFile(path, []byte(extension("one")), 0o600))
	want(t, step{"there", nil, "one", false, nil}, files.Look())
	must(t, os.Remove(path))
	want(t, step{"missing", nil, "one", true, []string{"nothing is removed until it is back"}}, files.Look())
}

func TestSeveralPathsMakeOneSet(t *testing.T) {
	dir := winetest.TempDir(t)
	must(t, os.Mkdir(filepath.Join(dir, "more"), 0o700))
	write(t, dir, map[string]string{"a.json": extension("one"), "more/b.json": extension("two")})
	files := &Files{Paths: []string{filepath.Join(dir, "a.json"), filepath.Join(dir, "more")}}
	want(t, step{"both", nil, "one two", false, nil}, files.Look())
}

// kubelet replaces a mounted ConfigMap by moving the link that its files' links go through.
func TestAMountedConfigMapIsFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a right there")
	}
	dir := winetest.TempDir(t)
	for version, content := range map[string]string{"..v1": extension("one"), "..v2": extension("two")} {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version), map[string]string{"settings.json": content})
	}
	must(t, os.Symlink("..v1", filepath.Join(dir, "..data")))
	must(t, os.Symlink("..data/settings.json", filepath.Join(dir, "settings.json")))
	files := &Files{Paths: []string{dir}}
	want(t, step{"the first", nil, "one", false, nil}, files.Look())
	must(t, os.Symlink("..v2", filepath.Join(dir, "..new")))
	must(t, os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")))
	want(t, step{"the second", nil, "two", false, nil}, files.Look())
}

func TestFoldersInAFolderAreNotReadAndNotesAreTold(t *testing.T) {
	dir := winetest.TempDir(t)
	must(t, os.Mkdir(filepath.Join(dir, "a.json"), 0o700))
	write(t, dir, map[string]string{"b.json": extension("one")})
	files := &Files{Paths: []string{dir}}
	want(t, step{"a folder", nil, "one", false, nil}, files.Look())
	write(t, dir, map[string]string{"b.json": `{"observedCertificates": "https://shop.vault.azure.net/secrets/a https://shop.vault.azure.net/secrets/b"}`})
	found := files.Look()
	want(t, step{"two URLs in a text", nil, "a b", false, nil}, found)
	if len(found.Notes) != 1 || !strings.Contains(found.Notes[0], "b.json:1: ") {
		t.Errorf("the notes are %q", found.Notes)
	}
}

// A copy with another URL under the same name must not take the name after a restart: its certificate would supersede the other.
func TestAfterARestartTheFileThatWasInUseKeepsItsName(t *testing.T) {
	dir := winetest.TempDir(t)
	write(t, dir, map[string]string{"web.yaml": manifest("web", "one")})
	first := ObjectOf((&Files{Paths: []string{dir}}).Look().Certificates[0], noTime)
	write(t, dir, map[string]string{"api.yaml": manifest("web", "two")})
	for name, test := range map[string]struct {
		previous map[string]int64
		url      string // of web; empty for none
	}{
		"the one that was in use":        {map[string]int64{"web": first.Generation}, "https://shop.vault.azure.net/secrets/one"},
		"neither was in use":             {map[string]int64{"web": 7}, ""},
		"nothing is known: the first":    {nil, "https://shop.vault.azure.net/secrets/two"},
		"another certificate's is known": {map[string]int64{"x": 7}, "https://shop.vault.azure.net/secrets/two"},
	} {
		t.Run(name, func(t *testing.T) {
			found := (&Files{Paths: []string{dir}, Previous: test.previous}).Look()
			url := ""
			for _, certificate := range found.Certificates {
				url = certificate.Spec.URL
			}
			if url != test.url || !found.Incomplete || len(found.Problems) != 1 {
				t.Errorf("web is %q, incomplete %t, problems %q", url, found.Incomplete, found.Problems)
			}
		})
	}
}

// Names depend on what else there is; what a certificate is does not.
func TestACertificateOfTheExtensionStaysTheSameUnderAnotherName(t *testing.T) {
	dir := winetest.TempDir(t)
	other := strings.ReplaceAll(extension("web"), "shop", "ops")
	write(t, dir, map[string]string{"b.json": other})
	files := &Files{Paths: []string{dir}}
	before := ObjectOf(files.Look().Certificates[0], noTime)
	write(t, dir, map[string]string{"a.json": extension("web")})
	names := map[string]string{}
	for range 2 { // whatever was in use before
		for _, certificate := range files.Look().Certificates {
			object := ObjectOf(certificate, noTime)
			names[object.Spec.URL] += object.Name + " "
			if same := object.UID == before.UID; same != strings.Contains(object.Spec.URL, "ops.") {
				t.Errorf("%s has UID %s, and ops' had %s", object.Spec.URL, object.UID, before.UID)
			}
		}
	}
	if got := names["https://shop.vault.azure.net/secrets/web"]; got != "web web " {
		t.Errorf("the names of shop's are %q, want the first by its path to have the short one", got)
	}
}

func TestAFileThatIsNamedItselfAndByItsFolderStaysWhenItVanishes(t *testing.T) {
	dir := winetest.TempDir(t)
	write(t, dir, map[string]string{"a.json": extension("one"), "b.json": extension("two")})
	files := &Files{Paths: []string{filepath.Join(dir, "a.json"), dir}}
	want(t, step{"both", nil, "one two", false, nil}, files.Look())
	must(t, os.Remove(filepath.Join(dir, "a.json")))
	want(t, step{"one is away", nil, "one two", true, []string{"a.json cannot be read: "}}, files.Look())
}

func TestNamesInAFileCannotForgeLinesOrChangeTheTerminal(t *testing.T) {
	dir := winetest.TempDir(t)
	write(t, dir, map[string]string{"a.json": `{"observedCertificates": [], "a\u001b[31m\n/etc/x:1: FORGED": 1}`})
	found := (&Files{Paths: []string{dir}}).Look()
	if len(found.Problems) != 1 || strings.ContainsAny(found.Problems[0], "\x1b\n") {
		t.Errorf("the problems are %q", found.Problems)
	}
}

func TestACheckOfTheMachineRejectsAFile(t *testing.T) {
	dir := winetest.TempDir(t)
	write(t, dir, map[string]string{"a.json": extension("one")})
	files := &Files{Paths: []string{dir}, Check: func(file settings.File) error {
		return settings.Problems{{File: file.Path, Line: 1, Text: "not on this machine"}}
	}}
	want(t, step{"rejected", nil, "", true, []string{"a.json:1: not on this machine"}}, files.Look())
}

func TestUIDAndGenerationFollowFromNameAndSpec(t *testing.T) {
	dir := winetest.TempDir(t)
	write(t, dir, map[string]string{"a.yaml": manifest("web", "one") + "---\n" + manifest("api", "one")})
	looked := (&Files{Paths: []string{dir}}).Look().Certificates
	web, api := ObjectOf(looked[0], noTime), ObjectOf(looked[1], noTime)
	again := ObjectOf((&Files{Paths: []string{dir}}).Look().Certificates[0], noTime)
	if web.UID != again.UID || web.Generation != again.Generation || web.Generation <= 0 || web.Generation > 1<<53 {
		t.Errorf("after a restart it is %s generation %d, before %s generation %d", again.UID, again.Generation, web.UID, web.Generation)
	}
	if web.UID == api.UID || web.Generation != api.Generation {
		t.Errorf("two names with one spec have UIDs %s and %s, generations %d and %d", web.UID, api.UID, web.Generation, api.Generation)
	}
	write(t, dir, map[string]string{"a.yaml": manifest("web", "two")})
	changed := ObjectOf((&Files{Paths: []string{dir}}).Look().Certificates[0], noTime)
	if changed.UID != web.UID || changed.Generation == web.Generation {
		t.Errorf("with another spec it is %s generation %d, before %s generation %d", changed.UID, changed.Generation, web.UID, web.Generation)
	}
	// The marks of installed certificates hold it, so it must never change.
	if diff := cmp.Diff("42407b18-446c-8c2b-9bc2-0129bc95e673", string(web.UID)); diff != "" {
		t.Error(diff)
	}
}
