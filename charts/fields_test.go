package charts_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

func unstructuredMap(object map[string]any, fields ...string) (map[string]any, bool, error) {
	return unstructured.NestedMap(object, fields...)
}

// template is the template of an object's pods, nil if it has none.
func template(object *unstructured.Unstructured) map[string]any {
	template, _, _ := unstructuredMap(object.Object, "spec", "template")
	return template
}

// pod is a pod as the template makes it.
func pod(t *testing.T, object *unstructured.Unstructured) *corev1.Pod {
	t.Helper()
	var made corev1.PodTemplateSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(template(object), &made, true); err != nil {
		t.Fatal(err)
	}
	return &corev1.Pod{ObjectMeta: made.ObjectMeta, Spec: made.Spec}
}
