package installation

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ControllerVersion returns the version of the controller: the tag of its image, or the label of its Deployment if the image has a
// digest only. It is empty if neither says it.
func (i Installation) ControllerVersion() string {
	if i.Controller == nil {
		return ""
	}
	return versionOf(Container(&i.Controller.Spec.Template).Image, &i.Controller.ObjectMeta)
}

// AgentVersion returns the version of the agents that the DaemonSets ask for, as ControllerVersion does. It is empty if they differ.
func (i Installation) AgentVersion() string {
	version := ""
	for n := range i.Agents {
		one := versionOf(agentContainer(&i.Agents[n]).Image, &i.Agents[n].ObjectMeta)
		if n > 0 && one != version {
			return ""
		}
		version = one
	}
	return version
}

func versionOf(image string, object *metav1.ObjectMeta) string {
	name, _, _ := strings.Cut(image, "@")
	name = name[strings.LastIndex(name, "/")+1:]
	if _, tag, tagged := strings.Cut(name, ":"); tagged && tag != "latest" {
		return tag
	}
	return object.Labels["app.kubernetes.io/version"]
}

// SameVersion compares versions, with or without the v in front. An empty one is unknown, and the same as any.
func SameVersion(a, b string) bool {
	return a == "" || b == "" || strings.TrimPrefix(a, "v") == strings.TrimPrefix(b, "v")
}
