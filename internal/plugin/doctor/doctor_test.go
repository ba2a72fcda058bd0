package doctor_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/doctor"
)

// illness is one way in which a cluster can be broken.
type illness struct {
	name string
	// infect breaks a healthy cluster.
	infect func(*testing.T, *hospital)
	// check, level and says are the finding that is expected.
	check string
	level doctor.Level
	says  []string
	// command is part of the finding's command.
	command string
	// values replace placeholders of the command, which then mends the cluster. Without it, heal does.
	values *strings.Replacer
	heal   func(*testing.T, *hospital)
}

// asIs runs the command of a finding unchanged.
var asIs = strings.NewReplacer()

func command(line string) func(*testing.T, *hospital) {
	return func(t *testing.T, h *hospital) { t.Helper(); h.shell(t, line) }
}

func reported(changes ...func(*v1alpha1.NodeCertificateState)) func(*testing.T, *hospital) {
	return func(t *testing.T, h *hospital) { t.Helper(); h.report(t, "win-1", changes...) }
}

var illnesses = []illness{
	{name: "a CRD of an earlier version",
		infect: command(`kubectl patch crd observedcertificates.vaultpane.dev --type json -p '[{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/suspend"}]'`),
		check:  "crds", level: doctor.Warning, says: []string{"observedcertificates.vaultpane.dev", "lacks spec.suspend"},
		command: "kubectl vaultpane crds |", values: asIs},
	{name: "a rule of a CRD that was relaxed",
		infect: command(`kubectl patch crd observedcertificates.vaultpane.dev --type json -p '[{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/pollingIntervalInS/x-kubernetes-validations"}]'`),
		check:  "crds", level: doctor.Warning, says: []string{"lacks spec.pollingIntervalInS (rules)"},
		command: "kubectl vaultpane crds |", values: asIs},
	{name: "no agent is installed",
		infect: command("kubectl -n vaultpane-system delete daemonset vaultpane-agent"),
		check:  "installation", level: doctor.Problem, says: []string{"no agent is installed"}, command: "helm install vaultpane",
		heal: command("kubectl apply -f config/agent/agent.yaml && kubectl -n vaultpane-system set env daemonset/vaultpane-agent AZURE_CLIENT_ID=" + clientID)},
	{name: "a node without a report",
		infect: command("kubectl delete nodecert win-1"),
		check:  "agents", level: doctor.Problem, says: []string{"the agents of 1 of 2 nodes have not reported: win-1"}, command: "get pods -o wide", heal: reported()},
	{name: "an agent of another version",
		infect: reported(func(s *v1alpha1.NodeCertificateState) { s.AgentVersion = "v0.0.9" }),
		check:  "versions", level: doctor.Warning, says: []string{"v0.0.9 on 1 node"}, command: "rollout status daemonset/vaultpane-agent", heal: reported()},
	{name: "a controller of another version",
		infect: command("kubectl -n vaultpane-system set image deployment/vaultpane-controller controller=ghcr.io/vaultpane/vaultpane-controller:v0.2.0"),
		check:  "versions", level: doctor.Warning, says: []string{"0.1.0", "v0.2.0"}, heal: command("kubectl apply -f config/controller/controller.yaml")},
	{name: "an image that cannot be pulled",
		infect: func(t *testing.T, h *hospital) {
			h.pod(t, "broken", "win-1", &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"})
		},
		check: "pods", level: doctor.Problem, says: []string{"cannot pull the image ghcr.io/vaultpane/vaultpane-agent:0.1.0", "broken on win-1"},
		command: "kubectl -n vaultpane-system describe pod broken", heal: func(t *testing.T, h *hospital) { h.removePod(t, "broken") }},
	{name: "a container that ends again and again",
		infect: func(t *testing.T, h *hospital) {
			h.pod(t, "broken", "win-1", &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"})
		},
		check: "pods", level: doctor.Problem, says: []string{"ends again and again", "broken on win-1"},
		command: "kubectl -n vaultpane-system logs broken --previous", heal: func(t *testing.T, h *hospital) { h.removePod(t, "broken") }},
	{name: "a node without a pod",
		infect: func(t *testing.T, h *hospital) { h.removePod(t, "vaultpane-agent-win-2") },
		check:  "pods", level: doctor.Problem, says: []string{"no agent's pod exists on 1 of 2 nodes: win-2"}, command: "describe daemonset/vaultpane-agent",
		heal: func(t *testing.T, h *hospital) { h.pod(t, "vaultpane-agent-win-2", "win-2", nil) }},
	{name: "an agent that cannot write its report",
		infect: command("kubectl -n vaultpane-system annotate lease win-1 vaultpane.dev/report-unwritten-since=2026-01-01T00:00:00Z"),
		check:  "heartbeats", level: doctor.Problem, says: []string{"cannot write their report: win-1"}, command: "kubectl apply -f config/rbac/agent",
		heal: command("kubectl -n vaultpane-system annotate lease win-1 vaultpane.dev/report-unwritten-since-")},
	{name: "an overdue poll",
		infect: command("kubectl -n vaultpane-system annotate lease win-1 vaultpane.dev/poll-overdue-since=2026-01-01T00:00:00Z"),
		check:  "heartbeats", level: doctor.Warning, says: []string{"a poll is overdue on 1 of 2 nodes: win-1"}, command: "logs pod/vaultpane-agent-win-1",
		heal: command("kubectl -n vaultpane-system annotate lease win-1 vaultpane.dev/poll-overdue-since-")},
	{name: "a controller that is scaled to zero",
		infect: command("kubectl -n vaultpane-system scale deployment/vaultpane-controller --replicas=0"),
		check:  "controller", level: doctor.Problem, says: []string{"scaled to zero"}, command: "scale deployment/vaultpane-controller --replicas=2", values: asIs},
	{name: "no controller leads",
		infect: command(`kubectl -n vaultpane-system patch lease vaultpane-controller --type merge -p '{"spec":{"holderIdentity":""}}'`),
		check:  "controller", level: doctor.Problem, says: []string{"no controller leads"}, command: "describe deployment/vaultpane-controller",
		heal: command(`kubectl -n vaultpane-system patch lease vaultpane-controller --type merge -p '{"spec":{"holderIdentity":"one"}}'`)},
	{name: "a policy without a binding",
		infect: command("kubectl delete validatingadmissionpolicybinding vaultpane-agent-leases"),
		check:  "policies", level: doctor.Warning, says: []string{"ValidatingAdmissionPolicyBinding vaultpane-agent-leases", "stolen"}, command: "kubectl apply -k config/policy", values: asIs},
	{name: "a policy that only audits",
		infect: command(`kubectl patch validatingadmissionpolicybinding vaultpane-agent-events --type merge -p '{"spec":{"validationActions":["Audit"]}}'`),
		check:  "policies", level: doctor.Warning, says: []string{"the binding vaultpane-agent-events does not deny"}, command: "kubectl apply -k config/policy", values: asIs},
	{name: "policies about another account",
		infect: command(`kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"spec":{"serviceAccountName":"other"}}}}'`),
		check:  "policies", level: doctor.Warning, says: []string{"is not about system:serviceaccount:vaultpane-system:other"},
		heal: command(`kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"spec":{"serviceAccountName":"vaultpane-agent"}}}}'`)},
	{name: "a namespace that refuses the agents",
		infect: command("kubectl label namespace vaultpane-system --overwrite pod-security.kubernetes.io/enforce=baseline"),
		check:  "pod-security", level: doctor.Problem, says: []string{"baseline"}, command: "kubectl label namespace", values: asIs},
	{name: "workload identity without a client id",
		infect: command(`kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"metadata":{"labels":{"azure.workload.identity/use":"true"}}}}}'`),
		check:  "identity", level: doctor.Problem, says: []string{"no annotation azure.workload.identity/client-id"},
		command: "kubectl -n vaultpane-system annotate serviceaccount vaultpane-agent",
		heal:    command(`kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"metadata":{"labels":{"azure.workload.identity/use":null}}}}}'`)},
	{name: "workload identity without a webhook",
		infect: command(`kubectl -n vaultpane-system annotate serviceaccount vaultpane-agent azure.workload.identity/client-id=` + clientID +
			` && kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"metadata":{"labels":{"azure.workload.identity/use":"true"}}}}}'`),
		check: "identity", level: doctor.Problem, says: []string{"have no token", "AZURE_FEDERATED_TOKEN_FILE"}, command: "az aks update",
		heal: command(`kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"metadata":{"labels":{"azure.workload.identity/use":null}}}}}'`)},
	{name: "a projected token that is missing",
		infect: command("kubectl -n vaultpane-system set env daemonset/vaultpane-agent VAULTPANE_CREDENTIAL=workload-identity"),
		check:  "identity", level: doctor.Problem, says: []string{"lacks AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE, a projected service account token"},
		heal: command("kubectl -n vaultpane-system set env daemonset/vaultpane-agent VAULTPANE_CREDENTIAL=default")},
	{name: "a client id that is none",
		infect: command("kubectl -n vaultpane-system set env daemonset/vaultpane-agent AZURE_CLIENT_ID=vaultpane"),
		check:  "identity", level: doctor.Problem, says: []string{`AZURE_CLIENT_ID of the agents is "vaultpane"`},
		command: "set env daemonset", values: strings.NewReplacer("=CLIENT_ID", "="+clientID)},
	{name: "a node that waits for a certificate",
		infect: command(`kubectl taint node win-1 vaultpane.dev/certificates-not-ready=:NoSchedule && kubectl patch obscert web --type merge -p '{"spec":{"requireInitialSync":true}}'`),
		check:  "startup-taint", level: doctor.Warning, says: []string{"win-1", "ObservedCertificate web", "has not processed generation 2"}, command: "kubectl get nodecert win-1",
		heal: command(`kubectl taint node win-1 vaultpane.dev/certificates-not-ready- && kubectl patch obscert web --type merge -p '{"spec":{"requireInitialSync":false}}'`)},
	{name: "a vault whose name does not resolve",
		infect: func(_ *testing.T, h *hospital) { h.names["shop.vault.azure.net"] = errors.New("no such host") },
		check:  "vaults", level: doctor.Warning, says: []string{"shop.vault.azure.net does not resolve", "used by web"}, command: "az keyvault show --name shop",
		heal: func(_ *testing.T, h *hospital) { clear(h.names) }},
	{name: "a vault that agents may not contact",
		infect: func(t *testing.T, h *hospital) { h.certificate(t, "own", "https://vault.example.com/secrets/own") },
		check:  "vaults", level: doctor.Problem, says: []string{"vault.example.com", "own"},
		command: "VAULTPANE_ALLOWED_VAULT_HOSTS=vault.example.com", values: asIs},
	{name: "a certificate that no node gets",
		infect: command(`kubectl patch obscert web --type merge -p '{"spec":{"nodeSelector":{"matchLabels":{"pool":"sql"}}}}'`),
		check:  "selection", level: doctor.Warning, says: []string{"web selects no node", "2 nodes should run the agent"}, command: "kubectl get nodes --show-labels",
		heal: command(`kubectl patch obscert web --type merge -p '{"spec":{"nodeSelector":null}}'`)},
	{name: "agents that run on no node",
		infect: command(`kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"pool":"none"}}}}}'`),
		check:  "agents", level: doctor.Problem, says: []string{"does not select 2 of 2 Windows nodes: win-1, win-2"}, command: "get daemonset",
		heal: command(`kubectl -n vaultpane-system patch daemonset vaultpane-agent --type merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"pool":null}}}}}'`)},
	{name: "a suspended certificate",
		infect: command(`kubectl patch obscert web --type merge -p '{"spec":{"suspend":true}}'`),
		check:  "selection", level: doctor.Note, says: []string{"suspended", "web"}, command: "kubectl vaultpane resume web", values: asIs},
	{name: "access that is denied",
		infect: reported(entry(func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason, e.Message = v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied, "403 from shop"
		})),
		check: "polls", level: doctor.Problem, says: []string{"AccessDenied: fails of web on 1 node (web on win-1: 403 from shop)"}, command: "kubectl describe obscert web", heal: reported()},
	{name: "polls that fail after the installation",
		infect: reported(entry(func(e *v1alpha1.CertificateEntry) { e.Reason, e.Message = v1alpha1.ReasonSecretDisabled, "disabled" })),
		check:  "polls", level: doctor.Warning, says: []string{"SecretDisabled: polls fail where it is installed"}, heal: reported()},
	{name: "a certificate that expires",
		infect: reported(entry(func(e *v1alpha1.CertificateEntry) {
			e.NotAfter = &metav1.Time{Time: time.Now().Add(49 * time.Hour).Truncate(time.Second)}
		})),
		check: "expiry", level: doctor.Warning, says: []string{"web expires in 2 d on 1 node: win-1"}, command: "az keyvault certificate list-versions --vault-name shop --name web", heal: reported()},
	{name: "a certificate that has expired",
		infect: reported(entry(func(e *v1alpha1.CertificateEntry) {
			e.NotAfter = &metav1.Time{Time: time.Now().Add(-time.Hour).Truncate(time.Second)}
		})),
		check: "expiry", level: doctor.Problem, says: []string{"web has expired"}, heal: reported()},
	{name: "a clock that is wrong",
		infect: command(`kubectl -n vaultpane-system patch lease win-2 --type merge -p '{"spec":{"renewTime":"2020-01-01T00:00:00.000000Z"}}'`),
		check:  "clocks", level: doctor.Problem, says: []string{"win-2 is", "behind"}, command: "exec pod/vaultpane-agent-win-2 -- w32tm",
		heal: func(t *testing.T, h *hospital) {
			h.shell(t, `kubectl -n vaultpane-system patch lease win-2 --type merge -p '{"spec":{"renewTime":"`+time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")+`"}}'`)
		}},
	{name: "a warning event",
		infect: func(t *testing.T, h *hospital) {
			now := metav1.Now()
			h.must(t, h.kube.Create(t.Context(), &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "refused"}, Type: "Warning", Reason: "FailedCreate",
				Message: "violates PodSecurity", InvolvedObject: corev1.ObjectReference{Kind: "DaemonSet", Namespace: namespace, Name: "vaultpane-agent"}, LastTimestamp: now, Count: 3}))
		},
		check: "events", level: doctor.Note, says: []string{"FailedCreate on DaemonSet vaultpane-agent", "3 times", "violates PodSecurity"}, command: "get events",
		heal: command("kubectl -n vaultpane-system delete event refused")},
	{name: "no CRD of node states", // the last: its objects are gone with it
		infect: command("kubectl delete crd nodecertificatestates.vaultpane.dev"),
		check:  "crds", level: doctor.Problem, says: []string{"the CRD nodecertificatestates.vaultpane.dev does not exist"},
		command: "kubectl vaultpane crds |", heal: func(t *testing.T, h *hospital) {
			h.shell(t, doctor.ApplyCRDs+" && kubectl wait --for=condition=Established crd/nodecertificatestates.vaultpane.dev --timeout=3m")
			awaitServed(t, h)
			h.report(t, "win-1")
			h.report(t, "win-2")
		}},
}

// The tests with an API server share a cluster, and each leaves it healthy.
func TestDoctorInACluster(t *testing.T) {
	h := admit(t)
	h.healthy(t)
	t.Run("the sample role is enough for all checks", func(t *testing.T) { testRole(t, h) })
	t.Run("what may not be read is a finding, and other checks are made", func(t *testing.T) { testWithoutRights(t, h) })
	t.Run("one node", func(t *testing.T) { testOneNode(t, h) })
	for _, one := range illnesses {
		mended := t.Run(one.name, func(t *testing.T) {
			one.infect(t, h)
			found := expect(t, h, one)
			if one.values != nil {
				h.shell(t, one.values.Replace(found.Command))
			} else {
				one.heal(t, h)
			}
			if one.name == "a vault that agents may not contact" {
				h.kubectl(t, "delete", "obscert", "own")
			}
			h.healthy(t)
		})
		if !mended {
			t.Fatal("the cluster is not healthy any more")
		}
	}
}

// expect returns the finding of an illness.
func expect(t *testing.T, h *hospital, one illness) doctor.Finding {
	t.Helper()
	findings := h.examine(t)
	at := slices.IndexFunc(findings, func(found doctor.Finding) bool {
		says := true
		for _, text := range one.says {
			says = says && strings.Contains(found.Text, text)
		}
		return found.Check == one.check && found.Level == one.level && says && strings.Contains(found.Command, one.command)
	})
	if at < 0 {
		t.Fatalf("no %s of %s says %q with the command %q:\n%s", one.level, one.check, one.says, one.command, describe(findings))
	}
	return findings[at]
}

func describe(findings []doctor.Finding) string {
	var text strings.Builder
	for _, found := range findings {
		if found.Level != doctor.OK {
			text.WriteString(string(found.Level) + " " + found.Check + ": " + found.Text + " | " + found.Command + "\n")
		}
	}
	return text.String()
}
