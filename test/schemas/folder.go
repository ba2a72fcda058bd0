package schemas

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Location is the argument of kubeconform's -schema-location for a folder of WriteFolder.
func Location(dir string) string {
	return filepath.Join(dir, "{{ .ResourceKind }}{{ .KindSuffix }}.json")
}

// WriteFolder writes a file a kind, named as kubeconform looks for it, into an empty folder.
func (s *Set) WriteFolder(dir string) error {
	const all = "definitions.json"
	if err := s.WriteFile(filepath.Join(dir, all)); err != nil {
		return err
	}
	for kind, name := range s.Kinds {
		text := fmt.Sprintf("{\"$ref\": %q}\n", all+reference+name)
		if err := os.WriteFile(filepath.Join(dir, fileName(kind)), []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing the schema of %s: %w", kind, err)
		}
	}
	return nil
}

// fileName is what kubeconform looks for: daemonset-apps-v1.json for "apps/v1 DaemonSet", of a group only what is before its
// first dot (https://github.com/yannh/kubeconform#overriding-schemas-location).
func fileName(kind string) string {
	groupVersion, kind, _ := strings.Cut(kind, " ")
	group, version, grouped := strings.Cut(groupVersion, "/")
	name := kind + "-" + groupVersion
	if grouped {
		group, _, _ = strings.Cut(group, ".")
		name = kind + "-" + group + "-" + version
	}
	return strings.ToLower(name) + ".json"
}
