package doctor

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
)

// Labels and annotations of the Azure Workload Identity webhook
// (https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html).
const (
	useWebhook    = "azure.workload.identity/use"
	clientIDOf    = "azure.workload.identity/client-id"
	tokenFile     = "AZURE_FEDERATED_TOKEN_FILE"
	webhookPrefix = "azure-wi-webhook"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// findIdentity checks how the agents sign in to Azure, by the DaemonSet, the service account and the pods. Whether Entra ID accepts
// the identity is said by the agents: see the check of polls.
func findIdentity(s *Snapshot) []Finding {
	if !s.needsIdentity() {
		return nil
	}
	var findings []Finding
	for i := range s.Agents {
		set := &s.Agents[i]
		container := installation.Container(&set.Spec.Template)
		credential, known := installation.Setting(container, "credential")
		switch {
		case !known:
		case set.Spec.Template.Labels[useWebhook] == "true":
			findings = append(findings, s.webhookFindings(set)...)
		case credential == "workload-identity":
			findings = append(findings, s.projectionFindings(set, container)...)
		case credential == "environment":
			findings = append(findings, s.secretFindings(set, container)...)
		case cmp.Or(credential, "default") == "default":
			findings = append(findings, s.defaultFindings(container)...)
		}
		findings = append(findings, s.clientIDFindings(container)...)
	}
	return slices.CompactFunc(findings, func(a, b Finding) bool { return a.Text == b.Text })
}

// needsIdentity reports whether a certificate may be in a vault. One from a ConfigMap is read without an identity.
func (s *Snapshot) needsIdentity() bool {
	return len(s.Certificates) == 0 || slices.ContainsFunc(s.Certificates, func(c v1alpha1.ObservedCertificate) bool { return c.Spec.ConfigMap == nil })
}

// webhookFindings checks what the webhook needs, and that it has done its work.
func (s *Snapshot) webhookFindings(set *appsv1.DaemonSet) []Finding {
	name := set.Spec.Template.Spec.ServiceAccountName
	account := s.Accounts[name]
	switch {
	case account == nil:
		return []Finding{finding(Problem, "the service account %s/%s of the agents does not exist", s.Namespace, name).
			do("Create it.", s.Upgrade("agent.serviceAccount.create=true", "kubectl apply -f config/rbac/agent"))}
	case account.Annotations[clientIDOf] == "":
		return []Finding{finding(Problem, "the agents ask the workload identity webhook for a token, and the service account %s/%s does not name the identity: it has no annotation %s", s.Namespace, name, clientIDOf).
			do("Set the client id ('az identity show --query clientId' prints it), then restart the agents.", s.kubectl("annotate serviceaccount "+name+" --overwrite "+clientIDOf+"=CLIENT_ID"))}
	case !guid.MatchString(account.Annotations[clientIDOf]):
		return []Finding{finding(Problem, "the annotation %s of the service account %s/%s is %q, must be a client id, which is a GUID", clientIDOf, s.Namespace, name, account.Annotations[clientIDOf]).
			do("Set the client id ('az identity show --query clientId' prints it), then restart the agents.", s.kubectl("annotate serviceaccount "+name+" --overwrite "+clientIDOf+"=CLIENT_ID"))}
	case s.withoutToken(set):
		return []Finding{s.webhookMissing(set)}
	}
	return nil
}

// withoutToken reports whether a pod of a DaemonSet lacks what the webhook adds.
func (s *Snapshot) withoutToken(set *appsv1.DaemonSet) bool {
	return slices.ContainsFunc(s.Pods, func(pod corev1.Pod) bool {
		owned := len(pod.Spec.Containers) > 0 && pod.Labels["app.kubernetes.io/component"] == set.Spec.Template.Labels["app.kubernetes.io/component"]
		return owned && !hasVariable(pod.Spec.Containers[0], tokenFile)
	})
}

func (s *Snapshot) webhookMissing(set *appsv1.DaemonSet) Finding {
	found := finding(Problem, "pods of the agents have no token: the workload identity webhook did not add %s", tokenFile)
	installed := slices.ContainsFunc(s.Webhooks, func(name string) bool { return strings.HasPrefix(name, webhookPrefix) })
	if s.Unread[Webhooks] == nil && !installed {
		return found.do("The webhook is not installed. Install it, then restart the agents.", "az aks update --enable-oidc-issuer --enable-workload-identity --resource-group RESOURCE_GROUP --name CLUSTER")
	}
	return found.do("Restart the agents: the webhook changes pods only when they are created.", s.kubectl("rollout restart daemonset/"+set.Name))
}

// projectionFindings checks a token that the pod projects itself.
func (s *Snapshot) projectionFindings(set *appsv1.DaemonSet, container corev1.Container) []Finding {
	var missing []string
	for _, name := range []string{"AZURE_CLIENT_ID", "AZURE_TENANT_ID", tokenFile} {
		if !hasVariable(container, name) && len(container.EnvFrom) == 0 {
			missing = append(missing, name)
		}
	}
	if !projectsToken(&set.Spec.Template.Spec, container) {
		missing = append(missing, "a projected service account token")
	}
	if len(missing) == 0 {
		return nil
	}
	return []Finding{finding(Problem, "the DaemonSet %s has the credential workload-identity, and lacks %s", set.Name, strings.Join(missing, ", ")).
		do("Set the client id and the tenant id of the identity; docs/azure.md describes the token.",
			s.Upgrade("azure.credential=workload-identity,azure.clientId=CLIENT_ID,azure.tenantId=TENANT_ID", s.kubectl("edit daemonset/"+set.Name)))}
}

// projectsToken reports whether the container mounts a token with an audience of its own.
func projectsToken(pod *corev1.PodSpec, container corev1.Container) bool {
	for _, volume := range pod.Volumes {
		if volume.Projected == nil {
			continue
		}
		token := slices.ContainsFunc(volume.Projected.Sources, func(source corev1.VolumeProjection) bool {
			return source.ServiceAccountToken != nil && source.ServiceAccountToken.Audience != ""
		})
		mounted := slices.ContainsFunc(container.VolumeMounts, func(mount corev1.VolumeMount) bool { return mount.Name == volume.Name })
		if token && mounted {
			return true
		}
	}
	return false
}

// secretFindings checks that a client secret can come from somewhere. The Secret itself is not read.
func (s *Snapshot) secretFindings(set *appsv1.DaemonSet, container corev1.Container) []Finding {
	if len(container.EnvFrom) > 0 || hasVariable(container, "AZURE_CLIENT_SECRET") || hasVariable(container, "AZURE_CLIENT_CERTIFICATE_PATH") {
		return nil
	}
	return []Finding{finding(Problem, "the DaemonSet %s has the credential environment, and neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH", set.Name).
		do("Name the Secret that has AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET.",
			s.Upgrade("azure.credential=environment,azure.existingSecret=SECRET", s.kubectl("set env daemonset/"+set.Name+" --from=secret/SECRET")))}
}

func (s *Snapshot) defaultFindings(container corev1.Container) []Finding {
	named := slices.ContainsFunc(container.Env, func(variable corev1.EnvVar) bool { return strings.HasPrefix(variable.Name, "AZURE_") })
	if named || len(container.EnvFrom) > 0 {
		return nil
	}
	return []Finding{finding(Note, "no identity is named: agents sign in with the managed identity of the machine, and an AKS node has several").
		do("Name one, or use workload identity, which only the agents' service account has: docs/azure.md.",
			s.SetVariable("azure.credential=managed-identity,azure.clientId=CLIENT_ID", "AZURE_CLIENT_ID", "CLIENT_ID"))}
}

func (s *Snapshot) clientIDFindings(container corev1.Container) []Finding {
	value, known := installation.Variable(container, "AZURE_CLIENT_ID")
	if !known || guid.MatchString(value) && strings.Trim(value, "0-") != "" {
		return nil
	}
	return []Finding{finding(Problem, "AZURE_CLIENT_ID of the agents is %q, must be a client id, which is a GUID", value).
		do("Set the client id; 'az identity show --query clientId' prints it.", s.SetVariable("azure.clientId=CLIENT_ID", "AZURE_CLIENT_ID", "CLIENT_ID"))}
}

func hasVariable(container corev1.Container, name string) bool {
	return slices.ContainsFunc(container.Env, func(variable corev1.EnvVar) bool { return variable.Name == name })
}
