package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/fleet"
)

// Sizes of the fleet.
const (
	fleetNodes        = 200
	fleetCertificates = 4
)

// The tests of the commands share a cluster, and each goes on from the state that the one before left.
func TestCommandsAgainstAnAPIServer(t *testing.T) {
	s := newSite(t)
	s.expect(2, []string{"this cluster has no observedcertificates.vaultpane.dev: Vaultpane is not installed in it"}, "status")
	s.install()
	s.expect(0, []string{"There is no ObservedCertificate in this cluster"}, "status")
	s.expect(0, []string{"There is no certificate to poll"}, "poll", "--all")
	s.expect(0, []string{"There is no certificate to wait for"}, "wait", "--all")
	if err := errors.Join(s.fleet.Observe(t.Context(), fleetCertificates, 0), s.fleet.Join(t.Context(), fleetNodes)); err != nil {
		t.Fatal(err)
	}
	s.report(at(nil))
	s.expect(0, []string{"✓ cert-000: ready: Installed: installed on 200 of 200 nodes", "✓ cert-003: ready"}, "wait", "--all", "--timeout", await.Limit.String())
	for _, test := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"errors say what to do", testErrors},
		{"all is well", testAllIsWell},
		{"a roll-out is followed", testRollout},
		{"failures are grouped", testFailures},
		{"names are completed", testCompletion},
		{"convert --check compares with the cluster", testCheck},
		{"a silent controller is told", testSilence},
		{"suspend and resume", testSuspend},
		{"poll waits for every node", testPoll},
		{"poll names who did not answer", testPollTimeout},
		{"wait ends where the spec must change", testWait},
	} {
		t.Run(test.name, func(t *testing.T) {
			own := *s
			own.t = t
			test.run(t, &own)
		})
	}
}

// at is what all nodes have: version 0 of every certificate, but what change says.
func at(change func(node, certificate int, entry *v1alpha1.CertificateEntry)) fleet.Entry {
	return func(node, certificate int) v1alpha1.CertificateEntry {
		entry := fleet.Installed(func(int) int { return 0 })(node, certificate)
		if change != nil {
			change(node, certificate, &entry)
		}
		return entry
	}
}

// renewed is version 1 of a certificate.
func renewed(node, certificate int) v1alpha1.CertificateEntry {
	return fleet.Installed(func(int) int { return 1 })(node, certificate)
}

func testErrors(t *testing.T, s *site) {
	s.expect(2, []string{`there is no ObservedCertificate "cert-00"; did you mean "cert-000"?`}, "status", "cert-00")
	s.expect(2, []string{`there is no ObservedCertificate "shop"; there are: cert-000, cert-001, cert-002, cert-003`}, "history", "shop")
	s.expect(2, []string{`there is no node "akswin00000"; did you mean "akswin000000"?`}, "status", "--node", "akswin00000")
	s.expect(2, []string{"no answer from the API server at https://127.0.0.1:1: ", "connection refused; check the context"}, "status", "--server", "https://127.0.0.1:1")
	s.expect(2, []string{`--output is "xml", must be wide, json or yaml`}, "status", "-o", "xml")
	s.expect(2, []string{"name certificates or give --all, not both"}, "poll", "cert-000", "--all")
	s.expect(2, []string{"name at least one certificate, or give --all"}, "wait")
	s.expect(2, []string{"--timeout has no effect without --wait"}, "poll", "--all", "--timeout", "1m")
	s.expect(2, []string{"name at least one certificate"}, "suspend")
	s.expect(2, []string{"unknown flag: --frob; see 'kubectl vaultpane status --help'"}, "status", "--frob")
	nobody := *s
	nobody.kubeconfig = t.TempDir() + "/kubeconfig"
	if err := s.plane.WriteUserKubeconfig(nobody.kubeconfig, "bob"); err != nil {
		t.Fatal(err)
	}
	nobody.expect(2, []string{"you may not list observedcertificates.vaultpane.dev", `User "bob" cannot list resource`, "vaultpane-view"}, "status")
	nobody.expect(2, []string{"you may not get observedcertificates.vaultpane.dev"}, "poll", "cert-000")
}

func testAllIsWell(t *testing.T, s *site) {
	s.expect(0, []string{"cert-000", "200/200", "4 certificates: 4 installed."}, "status")
	s.expect(0, []string{"cert-001: 200 nodes with nothing to report."}, "status", "cert-001")
	s.expect(0, []string{"akswin000199  Installed", fleet.Thumbprint(1, 0)}, "status", "cert-001", "-o", "wide")
	s.expect(0, []string{"akswin000007: 4 certificates, 0 failing, as agent v0.0.0-fleet reported them"}, "status", "--node", "akswin000007")
	s.expect(0, []string{"akswin000007: 1 certificate, 0 failing"}, "status", "cert-002", "--node", "akswin000007")
	var seen struct {
		Certificates []struct {
			Name, State string
			Entries     []struct{ Node, State, Thumbprint string }
		}
	}
	if err := json.Unmarshal([]byte(s.expect(0, nil, "status", "cert-003", "-o", "json")), &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen.Certificates) != 1 || seen.Certificates[0].State != "Installed" || len(seen.Certificates[0].Entries) != fleetNodes {
		t.Errorf("the JSON has %+v", seen)
	}
	s.expect(0, []string{"needsAction: 0", "  name: cert-000\n"}, "status", "-o", "yaml")
}

func testRollout(t *testing.T, s *site) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watched, ended := &output{}, make(chan int, 1)
	go func() {
		_, code := s.runInto(ctx, watched, "status", "cert-000", "--watch")
		ended <- code
	}()
	await.That(t, "the first status is printed", func() (bool, error) {
		return strings.Contains(watched.String(), "cert-000: 200 nodes with nothing to report"), nil
	})
	s.report(at(func(node, certificate int, entry *v1alpha1.CertificateEntry) {
		if certificate == 0 && node < 50 {
			*entry = renewed(node, certificate)
		}
	}))
	s.await("cert-000", "is rolling out", func(c *v1alpha1.ObservedCertificate) bool {
		return c.Status.Nodes.Installed == 50 && c.Status.Nodes.Pending == 150
	})
	s.expect(0, []string{"██░░░░░░░░ 50/200  RollingOut 00000000", "1 rolling out, 3 installed"}, "status")
	s.expect(0, []string{"Superseded (Pending) on 150 nodes", "and 140 more nodes", "cert-000: 50 nodes with nothing to report, 150 listed above."}, "status", "cert-000")
	s.expect(0, []string{"50/200", "150/200", "current", "RolloutStarted", "Events of cert-000 reach back to"}, "history", "cert-000")
	await.That(t, "the roll-out is printed", func() (bool, error) { return strings.Contains(watched.String(), "150 listed above"), nil })
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("--watch ended with exit code %d: %s", code, watched)
	}
}

func testFailures(t *testing.T, s *site) {
	s.report(at(func(node, certificate int, entry *v1alpha1.CertificateEntry) {
		if certificate == 1 && node < 3 {
			*entry = fleet.Failed(at(nil))(node, certificate)
		}
	}))
	s.await("cert-001", "has failed", func(c *v1alpha1.ObservedCertificate) bool { return c.Status.Nodes.Failed == 3 })
	s.expect(1, []string{
		"✗  cert-001", "197/200  AccessDenied", "✗ AccessDenied: The identity may not read the secret.", "What to do: Grant the identity",
		"cert-001: 3 of 200 nodes failed: AccessDenied (3)", "akswin000000: vault shop.vault.azure.net", "also on akswin000001, akswin000002", "1 failed", "1 needs action",
	}, "status")
	s.expect(1, []string{"AccessDenied (Failed) on 3 nodes", "cert-001: 197 nodes with nothing to report, 3 listed above."}, "status", "cert-001")
	s.expect(1, []string{"✗  cert-001     Failed     AccessDenied", "akswin000002: 4 certificates, 1 failing"}, "status", "--node", "akswin000002")
	s.expect(0, []string{"4 certificates, 0 failing"}, "status", "--node", "akswin000003")
	s.report(at(nil))
}

func testCompletion(t *testing.T, s *site) {
	for _, test := range []struct {
		name      string
		arguments []string
		want      string
	}{
		{"certificates", []string{"status", "cert-00"}, "cert-000\ncert-001\ncert-002\ncert-003\n:4\n"},
		{"those that are not there yet", []string{"poll", "cert-001", "cert-003", ""}, "cert-000\ncert-002\n:4\n"},
		{"of every command", []string{"history", "cert-002"}, "cert-002\n:4\n"},
		{"nodes", []string{"status", "--node", "akswin00010"}, "akswin000100\nakswin000101\n"},
		{"forms of output", []string{"status", "-o", ""}, "wide\njson\nyaml\n:4\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, code := execute(t.Context(), &output{}, append([]string{"__complete", "--kubeconfig", s.kubeconfig}, test.arguments...)...)
			if code != 0 || !strings.HasPrefix(text, test.want) {
				t.Errorf("exit code %d, want %q, got:\n%s", code, test.want, text)
			}
		})
	}
	unreachable := []string{"__complete", "--kubeconfig", s.kubeconfig, "--server", "https://127.0.0.1:1", "status", ""}
	if text, code := execute(t.Context(), &output{}, unreachable...); code != 0 || !strings.HasPrefix(text, ":4\n") {
		t.Errorf("without a cluster: exit code %d, %s", code, text)
	}
}

func testSuspend(_ *testing.T, s *site) {
	s.expect(0, []string{"cert-002 is suspended: no node polls it"}, "suspend", "cert-002")
	s.expect(0, []string{"cert-002 was suspended already."}, "suspend", "cert-002")
	s.await("cert-002", "is suspended", func(c *v1alpha1.ObservedCertificate) bool { return c.Spec.Suspend })
	s.expect(2, []string{"cert-002 is suspended, so no node polls it: 'kubectl vaultpane resume cert-002' ends that"}, "poll", "cert-002")
	s.expect(0, []string{"Requested a poll of cert-000, cert-001, cert-003.", "Left out because suspended: cert-002."}, "poll", "--all")
	s.expect(0, []string{"cert-002 is resumed: its nodes poll Key Vault for it now"}, "resume", "cert-002")
	s.expect(0, []string{"cert-002 was not suspended."}, "resume", "cert-002")
	s.await("cert-002", "is not suspended", func(c *v1alpha1.ObservedCertificate) bool { return !c.Spec.Suspend })
}

// answer has all nodes answer the next poll of a certificate after an earlier one, half of them before the others.
func (s *site) answer(number int, earlier string) error {
	name, requested := nameOf(number), ""
	err := await.Until(s.t.Context(), "a poll of "+name+" is requested", func() (bool, error) {
		certificate, err := s.certificate(name)
		requested = certificate.Annotations[v1alpha1.RequestedAtAnnotation]
		return requested != "" && requested != earlier, err
	})
	for _, answered := range []int{fleetNodes / 2, fleetNodes} {
		if err == nil {
			_, err = s.fleet.Report(s.t.Context(), at(func(node, certificate int, entry *v1alpha1.CertificateEntry) {
				if certificate == number && node < answered {
					*entry = renewed(node, certificate)
					entry.RequestedAt = requested
				}
			}))
		}
	}
	return err
}

func nameOf(certificate int) string { return fmt.Sprintf("cert-%03d", certificate) }

func testPoll(t *testing.T, s *site) {
	before, err := s.certificate("cert-003")
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- s.answer(3, before.Annotations[v1alpha1.RequestedAtAnnotation]) }()
	s.expect(0, []string{"Requested a poll of cert-003.", "✓ cert-003: 200 of 200 nodes answered, version 00000000"}, "poll", "cert-003", "--wait", "--timeout", await.Limit.String())
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func testPollTimeout(t *testing.T, s *site) {
	if err := s.fleet.Join(t.Context(), 1); err != nil { // its agent never reports
		t.Fatal(err)
	}
	s.await("cert-000", "counts the new node", func(c *v1alpha1.ObservedCertificate) bool { return c.Status.Nodes.Matched == fleetNodes+1 })
	text := s.expect(1, []string{"✗ cert-000: 0 of 201 nodes answered within 1s", "no answer from akswin000000, akswin000001, "}, "poll", "cert-000", "--wait", "--timeout", "1s")
	if strings.Count(text, "akswin000200") == 0 {
		t.Errorf("the node that never reported is not named: %s", text)
	}
}

func testWait(t *testing.T, s *site) {
	s.report(at(func(node, certificate int, entry *v1alpha1.CertificateEntry) { // also of the node that did not report before
		if certificate == 1 && node == 5 {
			entry.State, entry.Reason, entry.Message = v1alpha1.StateFailed, v1alpha1.ReasonVaultNotAllowed, "the vault's host is not allowed"
		}
	}))
	s.await("cert-001", "needs another spec", func(c *v1alpha1.ObservedCertificate) bool {
		return meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionStalled)
	})
	s.expect(1, []string{"✗ cert-001: cannot become ready: VaultNotAllowed: 1 of 201 nodes failed", "on akswin000005: the vault's host is not allowed; the spec must change"}, "wait", "cert-001", "--timeout", await.Limit.String())
}
