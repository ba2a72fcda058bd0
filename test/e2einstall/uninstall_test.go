package e2einstall

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
)

func (l *lifecycle) uninstall(t *testing.T) {
	t.Log(l.helm(t, "uninstall", release, "--wait", "--timeout="+helmLimit))
	for _, node := range append([]string{windows}, simulated...) {
		if l.tainted(t, node) {
			t.Errorf("the startup taint of %s remains, and no controller would remove it", node)
		}
	}
	for _, crd := range []string{"observedcertificates.vaultpane.dev", "nodecertificatestates.vaultpane.dev"} {
		l.get(t, "", crd, &apiextensionsv1.CustomResourceDefinition{})
	}
	l.get(t, "", mine, &v1alpha1.ObservedCertificate{})
	l.get(t, "", windows, &v1alpha1.NodeCertificateState{})
	err := l.client.Get(t.Context(), client.ObjectKey{Name: "web"}, &v1alpha1.ObservedCertificate{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the chart's own certificate: %v, want it to be gone with the chart", err)
	}
	l.holds(t, windows)
	await.That(t, "nothing of the release is left", func() (bool, error) { return l.leftovers(t) == "", nil })
}

// leftovers are the objects of the release.
func (l *lifecycle) leftovers(t *testing.T) string {
	t.Helper()
	const kinds = "daemonsets,deployments,pods,jobs,services,serviceaccounts,configmaps,secrets,roles,rolebindings,clusterroles," +
		"clusterrolebindings,poddisruptionbudgets,validatingadmissionpolicies,validatingadmissionpolicybindings,networkpolicies,flowschemas,prioritylevelconfigurations," +
		"servicemonitors,podmonitors,prometheusrules"
	output, err := l.cluster.Kubectl("get", kinds, "-A", "-o", "name", "-l", "app.kubernetes.io/instance="+release).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return strings.TrimSpace(string(output))
}

// reinstall turns on what is off by default, the Prometheus operator's objects too. With agents on Linux, the extension's
// certificates stay with Windows, and one without a selector goes to both.
func (l *lifecycle) reinstall(t *testing.T) {
	t.Log(l.helm(t, "install", release, l.chart, "--values="+l.file, "--wait", "--timeout="+helmLimit, "--set=agent.linux.enabled=true",
		"--set=certificates.everywhere.url="+l.shop.SecretURL("web"),
		"--set=flowSchema.enabled=true", "--set=controller.networkPolicy.enabled=true", "--set=monitoring.dashboard.enabled=true",
		"--set=monitoring.serviceMonitor.enabled=true", "--set=monitoring.prometheusRule.enabled=true",
		"--set=monitoring.podMonitor.enabled=true", "--set=agent.metrics.address=0.0.0.0", "--set=agent.metrics.port=19464"))
	l.installedEverywhere(t, "1/1")
	l.isInstalled(t, "everywhere", "2/2")
	l.holds(t, windows)
	l.holds(t, linux)
	const monitoring = "servicemonitors/vaultpane-controller,podmonitors/vaultpane-agent,prometheusrules/vaultpane"
	for object := range strings.SplitSeq(monitoring, ",") {
		if says, err := l.cluster.Kubectl("get", object, "--namespace="+namespace).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, says)
		}
	}
}
