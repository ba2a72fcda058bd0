package standalone

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheFirstRequestOnANewMachineIsSeenAtOnce(t *testing.T) {
	root, err := os.MkdirTemp("", "requests") // Wine 8 cannot remove that of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) }) // a temporary folder
	requests := Requests{Dir: filepath.Join(root, "new", "state")}
	if err := requests.prepare(); err != nil {
		t.Fatal(err)
	}
	watcher := newWatcher(t.Context(), []string{requests.folder()})
	defer watcher.close()
	begin := time.Now()
	if err := requests.Ask("web", begin); err != nil {
		t.Fatal(err)
	}
	if !watcher.wait(t.Context(), lookInterval) || time.Since(begin) >= lookInterval {
		t.Errorf("it was seen after %s", time.Since(begin))
	}
}
