package kubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// environment is the container's, resolved. Later variables win, as in a container.
func (k *Kubelet) environment(ctx context.Context, pod *corev1.Pod, container *corev1.Container) ([]string, error) {
	var environment []string
	for _, from := range container.EnvFrom {
		if from.SecretRef == nil {
			return nil, fmt.Errorf("its environment comes from something else than a Secret: %+v", from)
		}
		secret, err := k.client.CoreV1().Secrets(pod.Namespace).Get(ctx, from.SecretRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("reading its environment: %w", err)
		}
		for name, value := range secret.Data {
			environment = append(environment, from.Prefix+name+"="+string(value))
		}
	}
	for _, variable := range container.Env {
		value := variable.Value
		if variable.ValueFrom != nil {
			var err error
			if value, err = field(pod, variable.ValueFrom); err != nil {
				return nil, fmt.Errorf("resolving its variable %s: %w", variable.Name, err)
			}
		}
		environment = append(environment, variable.Name+"="+value)
	}
	return environment, nil
}

// field is a field of the pod, as the downward API gives it.
func field(pod *corev1.Pod, source *corev1.EnvVarSource) (string, error) {
	if source.FieldRef == nil {
		return "", fmt.Errorf("it is no field: %+v", source)
	}
	switch source.FieldRef.FieldPath {
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.name":
		return pod.Name, nil
	}
	return "", fmt.Errorf("the field %s is not known here", source.FieldRef.FieldPath)
}

// mounts say where on this machine the files of a mount path are.
type mounts map[string]string

// mount writes the ConfigMaps that the pod mounts. Other volumes are not made: the token is in the kubeconfig.
func (k *Kubelet) mount(ctx context.Context, pod *corev1.Pod, dir string) (mounts, error) {
	made := mounts{}
	for _, mount := range pod.Spec.Containers[0].VolumeMounts {
		index := slices.IndexFunc(pod.Spec.Volumes, func(volume corev1.Volume) bool { return volume.Name == mount.Name })
		if index < 0 || pod.Spec.Volumes[index].ConfigMap == nil {
			continue
		}
		source, err := k.client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, pod.Spec.Volumes[index].ConfigMap.Name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("mounting %s: %w", mount.MountPath, err)
		}
		folder := filepath.Join(dir, mount.Name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("mounting %s: %w", mount.MountPath, err)
		}
		for name, text := range source.Data {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				return nil, fmt.Errorf("mounting %s: %w", mount.MountPath, err)
			}
		}
		made[mount.MountPath] = folder
	}
	return made, nil
}

// all replaces the paths of mounts in arguments and variables, where they stand alone or after a "=".
func (m mounts) all(words []string) []string {
	replaced := slices.Clone(words)
	for i, word := range replaced {
		name, value, found := strings.Cut(word, "=")
		if !found {
			name, value = "", word
		} else {
			name += "="
		}
		for path, folder := range m {
			if value == path || strings.HasPrefix(value, path+"/") {
				replaced[i] = name + folder + strings.TrimPrefix(value, path)
			}
		}
	}
	return replaced
}
