package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAFileIsReplacedAlthoughAReaderHasItOpen(t *testing.T) {
	folder, err := os.MkdirTemp("", "replace") // Wine 8 cannot remove that of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "state.yaml")
	t.Cleanup(func() { _, _ = os.Remove(path), os.Remove(folder) }) // a temporary folder
	if err := Replace(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = reader.Close() }) // it was only read
	if err := Replace(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "new" {
		t.Errorf("the file has %q (%v)", content, err)
	}
}
