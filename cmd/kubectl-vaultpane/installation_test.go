package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// The tests of the commands that look at the installation share a cluster.
func TestInstallationCommandsAgainstAnAPIServer(t *testing.T) {
	s := newSite(t)
	s.expect(0, []string{"client      dev", "controller  unknown", "observedcertificates missing", "nodecertificatestates missing"}, "version")
	s.expect(1, []string{"no agent is installed", "the CRD observedcertificates.vaultpane.dev does not exist", "problem    installation: no controller is installed"}, "doctor")
	s.install()
	if err := s.fleet.Join(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"versions", testVersion},
		{"plan", testPlan},
		{"doctor", testDoctor},
		{"bundle", testBundle},
	} {
		t.Run(test.name, func(t *testing.T) {
			own := *s
			own.t = t
			test.run(t, &own)
		})
	}
}

func testVersion(_ *testing.T, s *site) {
	s.expect(0, []string{"client      dev", "observedcertificates current, nodecertificatestates current", "agents      none has reported", "Kubernetes  v1."}, "version")
	s.report(at(nil))
	s.expect(0, []string{"agents      v0.0.0-fleet on 3 nodes"}, "version")
	s.expect(0, []string{`"version": "v0.0.0-fleet",`, `"nodes": 3`}, "version", "-o", "json")
	s.expect(0, []string{"client:\n", "  version: dev\n"}, "version", "--client", "-o", "yaml")
	s.expect(0, []string{"client      dev"}, "version", "--client", "--server", "https://127.0.0.1:1")
	s.expect(2, []string{"client      dev", "no answer from the API server at https://127.0.0.1:1"}, "version", "--server", "https://127.0.0.1:1")
	s.expect(2, []string{`unexpected argument "x"`}, "version", "x")
}

func testPlan(t *testing.T, s *site) {
	file := filepath.Join(t.TempDir(), "web.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const manifest = "apiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificate\nmetadata: {name: web}\nspec: {url: 'https://shop.vault.azure.net/secrets/web'}\n"
	write(manifest)
	s.expect(0, []string{"+ web  new", "3 nodes would get it: akswin000000", "1 new, 0 changed, 0 unchanged; 0 conflicts"}, "plan", "-f", file)
	s.expect(0, []string{"action: new", "gain:\n"}, "plan", "-f", file, "-o", "yaml")
	if output, err := s.plane.Kubectl("apply", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	s.expect(0, []string{"= web  unchanged", "3 nodes are selected as before"}, "plan", "-f", file)
	write(strings.Replace(manifest, "name: web", "name: copy", 1) + "---\n" + strings.Replace(manifest, "/web'", "/web', keyExportable: true", 1))
	s.expect(1, []string{"spec.keyExportable: (none) → true", "conflict: copy of these files installs the same certificate with other key options"}, "plan", "-f", file)
	write("url: x\n")
	s.expect(2, []string{"web.yaml:1"}, "plan", "-f", file)
	s.expect(2, []string{"the file does not exist"}, "plan", "-f", file+"x")
	s.expect(2, []string{"no file is given; see 'kubectl vaultpane plan --help'"}, "plan")
	out := &output{}
	root := newRoot(terminal.Streams{In: strings.NewReader(manifest), Out: out, Err: out})
	root.SetArgs([]string{"plan", "-f", "-", "--kubeconfig", s.kubeconfig})
	if code := cli.ExitCode("kubectl vaultpane", root.ExecuteContext(t.Context()), out); code != 0 || !strings.Contains(out.String(), "= web  unchanged") {
		t.Errorf("from standard input: exit code %d:\n%s", code, out)
	}
}

func testDoctor(_ *testing.T, s *site) {
	s.expect(1, []string{"Vaultpane in namespace vaultpane-system", "✗ problem    installation: no agent is installed", "$ helm install vaultpane", "✓ ok         crds: "}, "doctor")
	s.expect(1, []string{`"check": "installation",`, `"level": "problem",`}, "doctor", "-o", "json")
	s.expect(1, []string{"Vaultpane in namespace vaultpane-system, node akswin000001"}, "doctor", "--node", "akswin000001")
	s.expect(2, []string{`there is no node "nowhere"; there are: `}, "doctor", "--node", "nowhere")
	s.expect(2, []string{"you may not list nodes", `User "jane" cannot list resource "nodes"`}, "doctor", "--node", "akswin000001", "--as", "jane")
	s.expect(1, []string{"problem    installation: no agent is installed in namespace default", "$ kubectl get daemonset,deployment --all-namespaces --selector app.kubernetes.io/name=vaultpane"}, "doctor", "--namespace", "default")
	s.expect(2, []string{"no answer from the API server"}, "doctor", "--server", "https://127.0.0.1:1")
	s.expect(2, []string{"give --node or --bundle, not both"}, "doctor", "--node", "a", "--bundle", "b")
}

func testBundle(t *testing.T, s *site) {
	file := filepath.Join(t.TempDir(), "bundle.tar.gz")
	s.expect(0, []string{"findings.txt", "objects/nodecertificatestates.yaml", "(3)", "Left out: Secrets", "Wrote " + file}, "doctor", "--bundle", file)
	s.expect(2, []string{file + " exists already"}, "doctor", "--bundle", file)
}
