package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// endVariable has the folder of the host log of TestTheHostLogSaysWhyTheAgentEnded's own process.
const endVariable = "AGENT_TEST_END"

func TestTheHostLogSaysWhyTheAgentEnded(t *testing.T) {
	if place := os.Getenv(endVariable); place != "" {
		arguments := []string{"--node-name=win-1", "--kubeconfig=" + filepath.Join(place, "none"), "--host-log-dir=" + place}
		os.Exit(cli.ExitCode("vaultpane-agent", run(arguments, io.Discard, io.Discard), io.Discard))
	}
	place := winetest.TempDir(t)
	command := exec.Command(os.Args[0], "-test.run=^TestTheHostLogSaysWhyTheAgentEnded$")
	command.Env = append(os.Environ(), endVariable+"="+place)
	if output, err := command.CombinedOutput(); err == nil {
		t.Fatalf("it did not end by an error: %s", output)
	}
	files, err := filepath.Glob(filepath.Join(place, "vaultpane_service_*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got files %q, error %v, want one", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := "configuring the connection to the API server"; !strings.Contains(string(content), want) {
		t.Errorf("got %s, want %q in it", content, want)
	}
}

func TestVersionIsACommandToo(t *testing.T) {
	for _, arguments := range [][]string{{"version"}, {"--version"}} {
		var output strings.Builder
		if err := run(arguments, &output, io.Discard); err != nil || output.String() != "vaultpane-agent dev\n" {
			t.Errorf("%q: got %q, error %v", arguments, output.String(), err)
		}
	}
	if err := run([]string{"version", "x"}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "--help") {
		t.Errorf("got error %v, want what there is", err)
	}
}

// A version is asked for to find out why settings do not work.
func TestTheVersionIsPrintedWhateverTheSettingsAre(t *testing.T) {
	for name, value := range map[string]string{"AZURE_TENANT_ID": "x", "VAULTPANE_WORKERS": "many", "VAULTPANE_LOG_FORMAT": "xml", "VAULTPANE_WORKER": "1"} {
		for _, arguments := range [][]string{{"version"}, {"--version"}} {
			t.Run(name+" "+arguments[0], func(t *testing.T) {
				t.Setenv(name, value)
				var output strings.Builder
				if err := run(arguments, &output, io.Discard); err != nil || output.String() != "vaultpane-agent dev\n" {
					t.Errorf("got %q, error %v", output.String(), err)
				}
			})
		}
	}
}

func TestAVariableThatIsNearlyASettingEndsTheAgent(t *testing.T) {
	t.Setenv("VAULTPANE_WORKER", "5")
	if err := run(nil, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "VAULTPANE_WORKER is unknown; did you mean VAULTPANE_WORKERS?") {
		t.Errorf("got error %v", err)
	}
}

func TestTheHelpNamesEveryCommand(t *testing.T) {
	var help strings.Builder
	if err := run([]string{"--help"}, io.Discard, &help); err != nil {
		t.Fatal(err)
	}
	for name := range commands {
		if !strings.Contains(help.String(), "vaultpane-agent "+name+" ") {
			t.Errorf("the help does not name %s", name)
		}
	}
}
