package installation

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Annotations and labels that Helm gives to the objects of a release.
const (
	managedBy   = "app.kubernetes.io/managed-by"
	releaseName = "meta.helm.sh/release-name"
)

// Release returns the name of the Helm release that Vaultpane is installed by; empty if it is installed otherwise.
func (i Installation) Release() string {
	var objects []*metav1.ObjectMeta
	if i.Controller != nil {
		objects = append(objects, &i.Controller.ObjectMeta)
	}
	for n := range i.Agents {
		objects = append(objects, &i.Agents[n].ObjectMeta)
	}
	for _, object := range objects {
		if object.Labels[managedBy] == "Helm" && object.Annotations[releaseName] != "" {
			return object.Annotations[releaseName]
		}
	}
	return ""
}

// Upgrade returns the command that sets values of the chart, written as --set takes them, or without any installs the chart's objects
// again. If Vaultpane is not installed by Helm, it is the command without Helm.
func (i Installation) Upgrade(set, withoutHelm string) string {
	release := i.Release()
	if release == "" {
		return withoutHelm
	}
	command := fmt.Sprintf("helm upgrade %s charts/vaultpane --namespace %s --reset-then-reuse-values", release, i.Namespace)
	if set != "" {
		command += " --set " + set
	}
	return command
}

// SetVariable returns the command that sets an environment variable of the agents.
func (i Installation) SetVariable(set, name, value string) string {
	return i.Upgrade(set, fmt.Sprintf("kubectl -n %s set env daemonset --selector %s %s=%s", i.Namespace, Selector, name, value))
}
