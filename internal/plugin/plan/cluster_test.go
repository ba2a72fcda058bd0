package plan_test

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/test/controlplane"
)

const existing = `
apiVersion: v1
kind: Node
metadata: {name: win-1, labels: {kubernetes.io/os: windows}}
---
apiVersion: vaultpane.dev/v1alpha1
kind: NodeCertificateState
metadata: {name: win-1}
---
apiVersion: vaultpane.dev/v1alpha1
kind: ObservedCertificate
metadata: {name: web, labels: {team: shop}}
spec: {url: "https://shop.vault.azure.net/secrets/web"}
`

// files are what is planned.
const files = `
apiVersion: vaultpane.dev/v1alpha1
kind: ObservedCertificate
metadata: {name: web, labels: {team: shop, tier: front}}
spec: {url: "https://shop.vault.azure.net/secrets/web", accounts: [NETWORK SERVICE]}
---
apiVersion: vaultpane.dev/v1alpha1
kind: ObservedCertificate
metadata: {name: api}
spec: {url: "https://shop.vault.azure.net/secrets/api"}
---
apiVersion: vaultpane.dev/v1alpha1
kind: ObservedCertificate
metadata: {name: denied}
spec: {url: "https://shop.vault.azure.net/secrets/denied", linkOnRenewal: true}
`

// policy refuses linkOnRenewal.
const policy = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-links}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [vaultpane.dev], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [observedcertificates]}]}
  validations: [{expression: "!has(object.spec.linkOnRenewal) || !object.spec.linkOnRenewal", message: "links are not allowed here", reason: Forbidden}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-links}
spec: {policyName: no-links, validationActions: [Deny]}
`

func TestAPlanAgainstAnAPIServer(t *testing.T) {
	plane := controlplane.ForTest(t)
	if err := plane.InstallCRDs(t.Context(), "../../../config/crd"); err != nil {
		t.Fatal(err)
	}
	kubectl := func(input string, arguments ...string) (string, error) {
		command := plane.Kubectl(arguments...)
		command.Stdin = strings.NewReader(input)
		output, err := command.CombinedOutput()
		return string(output), err
	}
	must := func(input string, arguments ...string) {
		t.Helper()
		if output, err := kubectl(input, arguments...); err != nil {
			t.Fatalf("kubectl %v: %v\n%s", arguments, err, output)
		}
	}
	must(existing, "apply", "-f", "-")
	must(policy, "apply", "-f", "-")
	awaitPolicy(t, kubectl)
	admin, err := cluster.NewClient(plane.Config())
	if err != nil {
		t.Fatal(err)
	}
	want := `~ web  changed
    spec.accounts: (none) -> ["NETWORK SERVICE"]
    metadata.labels[tier]: (none) -> "front"
    1 node is selected as before: win-1

+ api  new
    https://shop.vault.azure.net/secrets/api
    into LocalMachine\MY
    1 node would get it: win-1

+ denied  new
    https://shop.vault.azure.net/secrets/denied
    into LocalMachine\MY
    1 node would get it: win-1
    x conflict: the API server would refuse it: observedcertificates.vaultpane.dev "denied" is forbidden: ValidatingAdmissionPolicy 'no-links' with binding 'no-links' denied request: links are not allowed here

! no DaemonSet of the agents was found, so Windows nodes are taken for those that run them; 'kubectl vaultpane doctor' says more

2 new, 1 changed, 0 unchanged; 1 conflict, 0 warnings
`
	if got := planned(t, admin); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if output, err := kubectl("", "get", "obscert", "-o", "name"); err != nil || strings.TrimSpace(output) != "observedcertificate.vaultpane.dev/web" {
		t.Errorf("after the plan there are %s (%v)", output, err)
	}
	must("", "create", "clusterrole", "viewer", "--verb=list", "--resource=observedcertificates.vaultpane.dev")
	must("", "create", "clusterrolebinding", "viewer", "--clusterrole=viewer", "--user=viewer")
	config, err := plane.UserConfig("viewer")
	if err != nil {
		t.Fatal(err)
	}
	viewer, err := cluster.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	got := planned(t, viewer)
	for _, text := range []string{"this account may not update observedcertificates", "this account may not create observedcertificates", "which nodes would get the certificates is unknown", "spec.accounts: (none) -> [\"NETWORK SERVICE\"]", "0 conflicts"} {
		if !strings.Contains(got, text) {
			t.Errorf("a reader's plan lacks %q:\n%s", text, got)
		}
	}
}
