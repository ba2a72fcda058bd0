package e2eprograms

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var dotnetFlag = flag.String("dotnet", "", "the folder of a .NET for Windows, as hack/dotnet.sh prints it")

// dotnet is .NET for Windows on a machine, with the program of the folder dotnet.
type dotnet struct {
	*machine
	host, assembly string
}

// newDotnet compiles the program.
func newDotnet(t *testing.T, m *machine) dotnet {
	t.Helper()
	framework := filepath.Join(*dotnetFlag, "shared", "Microsoft.NETCore.App", "2.2.2")
	references, err := filepath.Glob(filepath.Join(framework, "System.*.dll"))
	if err != nil {
		t.Fatal(err)
	}
	d := dotnet{m, filepath.Join(*dotnetFlag, "dotnet.exe"), filepath.Join(m.dir, "program.dll")}
	command := []string{d.host, m.Path(filepath.Join(*dotnetFlag, "sdk", "2.2.104", "Roslyn", "bincore", "csc.dll")), "-nologo", "-noconfig", "-nostdlib",
		"-warnaserror", "-out:" + m.Path(d.assembly)}
	for _, one := range references {
		command = append(command, "-r:"+m.Path(one))
	}
	source := filepath.Join(env.root, "test", "programs", "dotnet", "Program.cs")
	if said, code := m.launch(t, nil, append(command, m.Path(source))...).ends(t); code != 0 {
		t.Fatalf("compiling: exit code %d: %s", code, said)
	}
	settings := `{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "2.2.2"}}}`
	if err := os.WriteFile(filepath.Join(m.dir, "program.runtimeconfig.json"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d dotnet) start(t *testing.T, command ...string) *program {
	t.Helper()
	return d.launch(t, ownNCrypt, append([]string{d.host, d.Path(d.assembly)}, command...)...)
}

func needsDotnet(t *testing.T) {
	t.Helper()
	if *dotnetFlag == "" {
		t.Skip("no -dotnet, which is a download of 161 MB; make test-wine10 runs it")
	}
}

func TestDotnetFindsUsesAndTrustsWhatIsInstalled(t *testing.T) {
	needsDotnet(t)
	web, thumbprint := served(t, "dotnet-looks")
	m := newMachine(t, web, trusted(t))
	m.keepRoot(t)
	m.find(t, thumbprint)
	m.agent.Kill() // which would put the root back itself, at a time of its own
	d := newDotnet(t, m)
	said, code := d.start(t, "look", thumbprint, "dotnet-looks.example.com").ends(t)
	for _, want := range []string{"found by name " + thumbprint, "has its key True", "verified True"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q, and ends with exit code %d: %s", want, code, said)
		}
	}
	trust := d.start(t, "trust", thumbprint, env.authority.thumbprint)
	trust.says(t, "looks for the root")
	m.giveRoot(t)
	said, code = trust.ends(t)
	if !strings.Contains(said, "trusts it True") || !strings.Contains(said, "chain "+thumbprint) || !strings.Contains(said, env.authority.thumbprint) {
		t.Errorf("it ends with exit code %d: %s", code, said)
	}
}

func TestDotnetServesACertificateAndItsRenewal(t *testing.T) {
	needsDotnet(t)
	needsWine10(t, noServer)
	web, first := served(t, "dotnet-serves")
	m := newMachine(t, web)
	m.giveUserKeys(t, first)
	port := freePort(t)
	newDotnet(t, m).start(t, "serve", strconv.Itoa(port), "dotnet-serves.example.com").says(t, "dotnet: serves")
	isServed(t, env.authority.knowing, port, "dotnet-serves", first)
	second := m.renew(t, "dotnet-serves")
	m.giveUserKeys(t, first, second)
	isServed(t, env.authority.knowing, port, "dotnet-serves", second)
}
