package isolation

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/test/install"
)

// granted is everything that an agent's token can do beyond what Kubernetes gives to every service account, by namespace;
// "" is everywhere. A new right is to be added here and in docs/security.md.
var granted = map[string][]string{
	"": {
		"get /nodes", "list /nodes", "watch /nodes",
		"list vaultpane.dev/observedcertificates", "watch vaultpane.dev/observedcertificates",
		"get vaultpane.dev/nodecertificatestates", "create vaultpane.dev/nodecertificatestates", "update vaultpane.dev/nodecertificatestates",
	},
	"default": {"create events.k8s.io/events", "patch events.k8s.io/events"},
	install.Namespace: {
		"get coordination.k8s.io/leases", "create coordination.k8s.io/leases", "update coordination.k8s.io/leases",
		"list coordination.k8s.io/leases vaultpane-version-watch", "watch coordination.k8s.io/leases vaultpane-version-watch",
		"get /configmaps trust-bundle", "list /configmaps trust-bundle", "watch /configmaps trust-bundle", // config/trust, which is not a default
	},
}

func TestAnAgentMayDoThisAndNothingElse(t *testing.T) {
	w := sharedEnvironment(t)
	const unprivileged = "unprivileged"
	w.there(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: unprivileged}})
	config, err := w.plane.ServiceAccountConfig(t.Context(), install.Namespace, unprivileged, own)
	if err != nil {
		t.Fatal(err)
	}
	plain := clientWith(t, config)
	for _, namespace := range []string{"default", install.Namespace, "kube-system", "kube-node-lease", "elsewhere"} {
		want := slices.Concat(granted[""], granted[namespace], rights(t, plain, namespace))
		slices.Sort(want)
		if difference := cmp.Diff(want, rights(t, w.agent, namespace)); difference != "" {
			t.Errorf("in namespace %s (-want +got):\n%s", namespace, difference)
		}
	}
}

// rights are what a client may do in a namespace.
func rights(t *testing.T, of client.Client, namespace string) []string {
	t.Helper()
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	if err := of.Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	if review.Status.Incomplete {
		t.Fatalf("the API server does not know all rights: %s", review.Status.EvaluationError)
	}
	all := flat(review.Status.ResourceRules)
	for _, rule := range review.Status.NonResourceRules {
		for _, verb := range rule.Verbs {
			for _, url := range rule.NonResourceURLs {
				all = append(all, verb+" "+url)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// flat writes each right as "verb group/resource".
func flat(rules []authorizationv1.ResourceRule) []string {
	var rights []string
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					right := verb + " " + group + "/" + resource
					if len(rule.ResourceNames) > 0 {
						right += " " + strings.Join(rule.ResourceNames, ",")
					}
					rights = append(rights, right)
				}
			}
		}
	}
	return rights
}

// clientset returns a client with the token of the node's own agent.
func (w *environment) clientset(t *testing.T) *kubernetes.Clientset {
	t.Helper()
	config, err := install.AgentConfig(t.Context(), w.plane, own)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return agent
}

// TestAListOfConfigMapsIsNoWiderThanOneOfThem: with resourceNames, list and watch are allowed only for a request that selects one of
// the names.
func TestAListOfConfigMapsIsNoWiderThanOneOfThem(t *testing.T) {
	w := sharedEnvironment(t)
	agent := w.clientset(t)
	const another = "another-bundle"
	w.there(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: "trust-bundle"}})
	w.there(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: another}})
	for selector, allowed := range map[string]bool{
		"metadata.name=trust-bundle":                                         true,
		"metadata.name=trust-bundle,metadata.namespace=" + install.Namespace: true,
		"": false, "metadata.name=" + another: false, "metadata.name!=" + another: false, "metadata.namespace=" + install.Namespace: false,
	} {
		list, err := agent.CoreV1().ConfigMaps(install.Namespace).List(t.Context(), metav1.ListOptions{FieldSelector: selector})
		if (err == nil) != allowed || err != nil && !apierrors.IsForbidden(err) {
			t.Errorf("a list with %q: %v", selector, err)
		}
		if err == nil && (len(list.Items) != 1 || list.Items[0].Name != "trust-bundle") {
			t.Errorf("a list with %q returned %d ConfigMaps", selector, len(list.Items))
		}
	}
}

func TestAnAgentIsRefused(t *testing.T) {
	w := sharedEnvironment(t)
	agent := w.clientset(t)
	const (
		ours        = "/apis/vaultpane.dev/v1alpha1"
		namespace   = "/namespaces/" + install.Namespace
		leases      = "/apis/coordination.k8s.io/v1/namespaces/"
		rbac        = "/apis/rbac.authorization.k8s.io/v1"
		admission   = "/apis/admissionregistration.k8s.io/v1"
		definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	)
	for path, verbs := range map[string]string{
		"/api/v1/secrets":                                        "GET",
		"/api/v1" + namespace + "/secrets":                       "GET POST",
		"/api/v1" + namespace + "/secrets/x":                     "GET",
		"/api/v1/configmaps":                                     "GET",
		"/api/v1" + namespace + "/configmaps":                    "GET POST DELETE",
		"/api/v1" + namespace + "/configmaps/x":                  "GET PUT",
		"/api/v1" + namespace + "/configmaps/trust-bundle":       "PUT PATCH DELETE",
		"/api/v1/namespaces/kube-system/configmaps/trust-bundle": "GET",
		"/api/v1/namespaces/elsewhere/configmaps/trust-bundle":   "GET",
		"/api/v1/pods":                         "GET",
		"/api/v1" + namespace + "/pods":        "GET POST",
		"/api/v1" + namespace + "/pods/x/exec": "POST",
		"/api/v1" + namespace + "/serviceaccounts/" + install.Agent + "/token": "POST",
		"/api/v1/namespaces/default/events":                                    "GET POST",
		"/api/v1/nodes":                                                        "POST DELETE",
		"/api/v1/nodes/" + own:                                                 "PUT PATCH DELETE",
		"/api/v1/nodes/" + own + "/status":                                     "PUT PATCH",
		"/api/v1/nodes/" + own + "/proxy/":                                     "GET",
		"/apis/events.k8s.io/v1/events":                                        "GET",
		"/apis/events.k8s.io/v1" + namespace + "/events":                       "POST",
		ours + "/observedcertificates":                                         "POST DELETE",
		ours + "/observedcertificates/web":                                     "GET PUT PATCH DELETE",
		ours + "/observedcertificates/web/status":                              "PUT PATCH",
		ours + "/nodecertificatestates":                                        "GET DELETE",
		ours + "/nodecertificatestates/" + own:                                 "PATCH DELETE",
		ours + "/nodecertificatestates/" + another:                             "PATCH DELETE",
		leases + install.Namespace + "/leases":                                 "GET DELETE",
		leases + install.Namespace + "/leases/" + own:                          "PATCH DELETE",
		leases + install.Namespace + "/leases/" + another:                      "PATCH DELETE",
		leases + "default/leases":                                              "POST",
		leases + "kube-node-lease/leases/" + own:                               "GET PUT",
		leases + "kube-system/leases/kube-controller-manager":                  "GET PUT",
		rbac + "/clusterroles":                                                 "GET POST",
		rbac + "/clusterrolebindings":                                          "GET POST",
		admission + "/validatingadmissionpolicies":                             "GET POST DELETE",
		admission + "/validatingadmissionpolicybindings":                       "GET DELETE",
		definitions: "GET POST",
	} {
		for verb := range strings.FieldsSeq(verbs) {
			t.Run(verb+" "+path, func(t *testing.T) {
				request := agent.RESTClient().Verb(verb).AbsPath(path)
				if verb == http.MethodPost || verb == http.MethodPut || verb == http.MethodPatch {
					request = request.Body([]byte("{}")) // it is not looked at
				}
				if _, err := request.DoRaw(t.Context()); !apierrors.IsForbidden(err) || strings.Contains(err.Error(), "Policy") {
					t.Errorf("got %v, want it forbidden by RBAC", err)
				}
			})
		}
	}
}
