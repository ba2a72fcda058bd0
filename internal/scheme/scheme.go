// Package scheme lists the API kinds that Vaultpane's programs use, and the paths at which the API server serves them.
package scheme

import (
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// New returns a scheme that knows Kubernetes' own types and Vaultpane's, and those of others that are added.
func New(others ...func(*runtime.Scheme) error) (*runtime.Scheme, error) {
	types := runtime.NewScheme()
	for _, add := range append([]func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme}, others...) {
		if err := add(types); err != nil {
			return nil, fmt.Errorf("registering API types: %w", err)
		}
	}
	return types, nil
}

// Mapper says under which path the API server has each kind that a manager uses. Asking the API server for that would end a
// program that starts before it, and cost requests.
func Mapper() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1alpha1.GroupVersion, corev1.SchemeGroupVersion, coordinationv1.SchemeGroupVersion})
	mapper.Add(v1alpha1.GroupVersion.WithKind("ObservedCertificate"), meta.RESTScopeRoot)
	mapper.Add(v1alpha1.GroupVersion.WithKind("NodeCertificateState"), meta.RESTScopeRoot)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Node"), meta.RESTScopeRoot)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	mapper.Add(coordinationv1.SchemeGroupVersion.WithKind("Lease"), meta.RESTScopeNamespace)
	return mapper
}
