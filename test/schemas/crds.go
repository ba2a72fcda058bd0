package schemas

import (
	"fmt"
	"os"
	"path/filepath"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// AddCRDs adds the kinds of the CRDs in a folder, in each version that is served.
func (s *Set) AddCRDs(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*_*.yaml")) // as controller-gen names them: group_plural.yaml
	if err != nil || len(files) == 0 {
		return fmt.Errorf("looking for CRDs in %s: found %d, %w", dir, len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading a CRD: %w", err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			return fmt.Errorf("reading the CRD %s: %w", file, err)
		}
		s.addCRD(&crd)
	}
	return nil
}

func (s *Set) addCRD(crd *apiextensionsv1.CustomResourceDefinition) {
	for _, version := range crd.Spec.Versions {
		if !version.Served {
			continue
		}
		own := version.Schema.OpenAPIV3Schema.DeepCopy()
		metadata := reference + objectMeta
		own.Properties["metadata"] = schema{Ref: &metadata} // a CRD says only that it is an object
		strict(own)
		kind := metav1.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
		name := kind.Group + "." + kind.Version + "." + kind.Kind
		s.Kinds[kindName(kind)], s.Definitions[name] = name, own
	}
}
