package schemas

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// swagger has a field that is named like a keyword of JSON schema, a map, a recursion, and definitions that are not requested.
const swagger = `{"definitions": {
  "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"type": "object", "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string", "default": ""}}}},
  "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string", "description": "An amount."},
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "string", "format": "int-or-string"},
  "v1.Thing": {
    "type": "object", "description": "A thing.", "required": ["parts"],
    "properties": {
      "description": {"type": "string", "description": "What it is."},
      "$ref": {"type": "string"},
      "parts": {"type": "array", "items": {"$ref": "#/definitions/v1.Part"}, "x-kubernetes-list-type": "atomic"}
    },
    "x-kubernetes-group-version-kind": [{"group": "things.dev", "version": "v1", "kind": "Thing"}]
  },
  "v1.Part": {
    "type": "object",
    "properties": {
      "size": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"},
      "port": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString"},
      "parts": {"type": "object", "additionalProperties": {"$ref": "#/definitions/v1.Part"}}
    }
  },
  "v1.Other": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "things.dev", "version": "v1", "kind": "Other"}]}
}}`

const want = `{"kubernetes": "v1.99.0",
"kinds": {
"things.dev/v1 Thing": "v1.Thing"},
"definitions": {
"io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf":[{"type":"number"},{"type":"string"}]},
"io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"type":"object","properties":{"labels":{"type":"object","additionalProperties":{"type":"string"}}},"additionalProperties":false},
"io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"oneOf":[{"type":"integer"},{"type":"string"}]},
"v1.Part": {"type":"object","properties":{"parts":{"type":"object","additionalProperties":{"$ref":"#/definitions/v1.Part"}},"port":{"$ref":"#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString"},"size":{"$ref":"#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity"}},"additionalProperties":false},
"v1.Thing": {"type":"object","required":["parts"],"properties":{"$ref":{"type":"string"},"description":{"type":"string"},"parts":{"type":"array","items":{"$ref":"#/definitions/v1.Part"}}},"additionalProperties":false}}}
`

func TestCut(t *testing.T) {
	set, err := Cut("v1.99.0", []byte(swagger), []metav1.GroupVersionKind{
		{Group: "things.dev", Version: "v1", Kind: "Thing"}, {Group: "things.dev", Version: "v2", Kind: "Thing"},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "set.json")
	if err := set.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(want, string(have)); difference != "" {
		t.Errorf("want (-), have (+):\n%s", difference)
	}
	read, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(set, read); difference != "" {
		t.Errorf("written (-), read (+):\n%s", difference)
	}
}

func TestCutSaysWhatNothingDefines(t *testing.T) {
	_, err := Cut("v1.99.0", []byte(strings.Replace(swagger, `"v1.Part": {`, `"v1.Piece": {`, 1)), []metav1.GroupVersionKind{{Group: "things.dev", Version: "v1", Kind: "Thing"}})
	if err == nil || !strings.Contains(err.Error(), "nothing defines v1.Part") {
		t.Errorf("says %v", err)
	}
}

func TestFileName(t *testing.T) {
	for kind, want := range map[string]string{
		"v1 ConfigMap":      "configmap-v1.json",
		"apps/v1 DaemonSet": "daemonset-apps-v1.json",
		"rbac.authorization.k8s.io/v1 ClusterRole": "clusterrole-rbac-v1.json",
	} {
		if have := fileName(kind); have != want {
			t.Errorf("%s: %s, want %s", kind, have, want)
		}
	}
}
