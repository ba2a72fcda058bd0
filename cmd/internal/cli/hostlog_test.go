package cli

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/test/winetest"
)

func parseHostLog(environment map[string]string) (HostLog, error) {
	var h HostLog
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	h.AddTo(flags, "")
	describe(flags)
	err := parseVariables(flags, func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	})
	if err != nil {
		return h, err
	}
	return h, h.Validate()
}

func TestTheHostLogIsOnWhereKubeletServesIt(t *testing.T) {
	want := HostLog{Folder: "0", RetentionDays: 14}
	if runtime.GOOS == "windows" {
		want.Folder = `C:\var\log\vaultpane`
	}
	if got, err := parseHostLog(nil); got != want || err != nil {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
}

func TestTheHostLogsSettings(t *testing.T) {
	place := winetest.TempDir(t)
	tests := []struct {
		name        string
		environment map[string]string
		want        HostLog
		says        string
	}{
		{"another folder", map[string]string{"VAULTPANE_HOST_LOG_DIR": place}, HostLog{place, 14}, ""},
		{"none", map[string]string{"VAULTPANE_HOST_LOG_DIR": "0"}, HostLog{"0", 14}, ""},
		{"ten years", map[string]string{"VAULTPANE_HOST_LOG_DIR": "0", "VAULTPANE_HOST_LOG_RETENTION_DAYS": "3650"}, HostLog{"0", 3650}, ""},
		{"a folder somewhere", map[string]string{"VAULTPANE_HOST_LOG_DIR": "log"}, HostLog{"log", 14}, `--host-log-dir is "log", must be an absolute path, or 0 for none`},
		{"no days", map[string]string{"VAULTPANE_HOST_LOG_DIR": "0", "VAULTPANE_HOST_LOG_RETENTION_DAYS": "0"}, HostLog{"0", 0}, "--host-log-retention-days is 0, must be 1 to 3650"},
		{"too many days", map[string]string{"VAULTPANE_HOST_LOG_DIR": "0", "VAULTPANE_HOST_LOG_RETENTION_DAYS": "3651"}, HostLog{"0", 3651}, "--host-log-retention-days is 3651, must be 1 to 3650"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseHostLog(test.environment)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if (err == nil) != (test.says == "") || err != nil && err.Error() != test.says {
				t.Errorf("got error %v, want %q", err, test.says)
			}
		})
	}
}

func TestTheHostLogHasTheLinesOfStdout(t *testing.T) {
	h := HostLog{Folder: filepath.Join(winetest.TempDir(t), "vaultpane"), RetentionDays: 14}
	var stdout bytes.Buffer
	log, finish := h.Start(Logging{Format: "json"}, &stdout)
	log.Info("Installed", "store", `LocalMachine\My`, "subject", "CN=Müller")
	log.V(1).Info("Decided")
	finish()
	files, err := filepath.Glob(filepath.Join(h.Folder, "vaultpane_service_*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got files %q, error %v, want one", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != stdout.String() || strings.Count(stdout.String(), "\n") != 1 || !strings.Contains(stdout.String(), "CN=Müller") {
		t.Errorf("the host log has\n%sand stdout has\n%s", content, stdout.String())
	}
}

// failing is a stdout that is no longer read.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestTheHostLogGoesOnWithoutStdout(t *testing.T) {
	h := HostLog{Folder: winetest.TempDir(t), RetentionDays: 14}
	writer, finish := h.beside(failing{}, func(string, ...any) {})
	for _, line := range []string{"One\n", "Two\n"} {
		_, _ = writer.Write([]byte(line))
	}
	finish()
	files, _ := filepath.Glob(filepath.Join(h.Folder, "*"))
	if len(files) != 1 {
		t.Fatalf("got files %q, want one", files)
	}
	if content, err := os.ReadFile(files[0]); err != nil || string(content) != "One\nTwo\n" {
		t.Errorf("got %q, error %v, want two lines", content, err)
	}
}

// crashVariable has the folder in which TestTheHostLogHasTheTraceOfACrash's own process is to crash.
const crashVariable = "HOSTLOG_TEST_CRASH"

func TestTheHostLogHasTheTraceOfACrash(t *testing.T) {
	if place := os.Getenv(crashVariable); place != "" {
		crash(t, place)
	}
	place := winetest.TempDir(t)
	command := exec.Command(os.Args[0], "-test.run=^TestTheHostLogHasTheTraceOfACrash$")
	command.Env = append(os.Environ(), crashVariable+"="+place)
	if output, err := command.CombinedOutput(); err == nil {
		t.Fatalf("it did not crash: %s", output)
	}
	content := theFile(t, place)
	for _, want := range []string{"Before\n", "panic: something of ours broke\n", "hostlog_test.go:"} {
		if !strings.Contains(content, want) {
			t.Errorf("got %q, want %q in it", content, want)
		}
	}
}

// crash logs a line, and ends the process by a panic that no test catches.
func crash(t *testing.T, place string) {
	h := HostLog{Folder: place, RetentionDays: 14}
	writer, _ := h.beside(io.Discard, func(string, ...any) {})
	_, _ = writer.Write([]byte("Before\n"))
	for deadline := time.Now().Add(time.Minute); theFile(t, place) == "" && time.Now().Before(deadline); {
		runtime.Gosched() // the line is written in the background
	}
	go panic("something of ours broke")
	select {}
}

// theFile returns the content of the only file of a host log, empty while it does not exist.
func theFile(t *testing.T, place string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(place, "vaultpane_service_*.log"))
	if err != nil || len(files) > 1 {
		t.Fatalf("got files %q, error %v, want one", files, err)
	}
	if len(files) == 0 {
		return ""
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
