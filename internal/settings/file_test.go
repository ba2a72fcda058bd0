package settings

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/winetest"
)

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := winetest.TempDir(t)
	large := filepath.Join(dir, "large.json")
	if err := os.WriteFile(large, make([]byte, 10<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	reader := newReader(t)
	for path, says := range map[string]string{
		dir:                             "this is a directory, must be a file; name each settings file in it",
		large:                           "the file is larger than 4 MiB, so it is hardly a settings file; name the right file, or split it",
		filepath.Join(dir, "none.json"): "the file does not exist; correct the path",
	} {
		file, err := reader.ReadFile(path)
		if err == nil || err.Error() != path+": "+says || len(file.Certificates) > 0 {
			t.Errorf("%s: got %v, want %s", path, err, says)
		}
	}
	if _, err := reader.Read("large.json", make([]byte, MaxSize+1)); err == nil || !strings.HasPrefix(err.Error(), "large.json: the file is larger than 4 MiB") {
		t.Errorf("a large content: got %v", err)
	}
	// Tests run as root, who may read everything, so only the wording is tested here.
	denied := unreadable("web.yaml", &fs.PathError{Op: "open", Path: "web.yaml", Err: fs.ErrPermission})
	if want := "web.yaml: the account that runs this program may not read the file; give it read permission"; denied.Error() != want {
		t.Errorf("got %q, want %q", denied.Error(), want)
	}
	if other := unreadable("web.yaml", fs.ErrClosed); !strings.Contains(other.Error(), fs.ErrClosed.Error()) {
		t.Errorf("the cause is missing in %v", other)
	}
}

func TestAFileOfTheLargestSizeIsRead(t *testing.T) {
	path := filepath.Join(winetest.TempDir(t), "settings.yaml")
	text := "observedCertificates: [" + web + "]\n"
	if err := os.WriteFile(path, []byte(text+strings.Repeat("\n", MaxSize-len(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := newReader(t).ReadFile(path)
	if err != nil || len(file.Certificates) != 1 || file.Path != path {
		t.Errorf("got %+v, %v", file, err)
	}
}

// TestACutFileNeverCountsAsWhole: a file that is half written must not silently ask for less. JSON cannot be cut unnoticed;
// YAML can, where a document or an entry ends, so there every reading must be a Problem or begin like the whole.
func TestACutFileNeverCountsAsWhole(t *testing.T) {
	reader := newReader(t)
	settings := secretsOf(`"pollingIntervalInS": "60"`, entry(`"accounts": ["NT SERVICE\\w3svc", "ü"]`)+",\n"+quoted(web+"2"))
	for cut := range len(strings.TrimSpace(settings)) {
		_, err := reader.Read("settings.json", []byte(settings[:cut]))
		problems := problemsOf(t, err)
		if len(problems) == 0 || problems[0].Line < 1 {
			t.Fatalf("cut at %d of %d: %v", cut, len(settings), err)
		}
	}
	whole := manifest("web", "  pollingIntervalInS: 60") + "---\n" + manifest("api")
	for cut := range len(whole) {
		file, err := reader.Read("web.yaml", []byte(whole[:cut]))
		if err == nil && (len(file.Certificates) == 0 || !strings.HasPrefix("web", file.Certificates[0].Name)) {
			t.Fatalf("cut at %d of %d: %+v", cut, len(whole), file)
		}
	}
}
