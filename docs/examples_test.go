package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/internal/settings"
)

// withExamples are the pages whose blocks of YAML and JSON are complete manifests and settings.
var withExamples = []string{"one-machine.md", "windows-containers.md", "virtual-machines.md", "trusted-roots.md", "cert-manager.md", "bindings.md"}

// foreign are the kinds of other projects in examples, by API version and kind, each with the fields of its spec that the examples use.
var foreign = map[string]any{
	"trust.cert-manager.io/v1alpha1 Bundle":   &bundleSpec{},
	"cert-manager.io/v1 Certificate":          &certificateSpec{},
	"external-secrets.io/v1 SecretStore":      &storeSpec{},
	"external-secrets.io/v1alpha1 PushSecret": &pushSpec{},
}

var block = regexp.MustCompile("(?ms)^ *```(?:yaml|json)\n(.*?)^ *```$")

// A reader copies an example, and a misspelt field of a manifest would go unnoticed until then.
func TestExamplesAreValid(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	reader, err := settings.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range withExamples {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := block.FindAllStringSubmatch(string(content), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no example", page)
		}
		for _, found := range blocks {
			for document := range strings.SplitSeq(found[1], "\n---\n") {
				checkExample(t, page, document, strict, reader)
			}
		}
	}
}

func checkExample(t *testing.T, page, document string, strict runtime.Decoder, reader *settings.Reader) {
	t.Helper()
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		FileURIs   any    `json:"fileUris"`         // of the Custom Script Extension
		Command    any    `json:"commandToExecute"` // the same
	}
	if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
		t.Errorf("%s: %v\n%s", page, err, document)
		return
	}
	switch {
	case kind.FileURIs != nil || kind.Command != nil || kind.Kind == "NodeCertificateState":
		return
	case kind.Kind == "" || strings.HasPrefix(kind.APIVersion, "vaultpane.dev/"):
		readSettings(t, page, []byte(document), reader)
		return
	}
	if spec := foreign[kind.APIVersion+" "+kind.Kind]; spec != nil {
		checkForeign(t, page, document, spec)
		return
	}
	object, _, err := strict.Decode([]byte(document), nil, nil)
	if err != nil {
		t.Errorf("%s: %v\n%s", page, err, document)
		return
	}
	if config, ok := object.(*corev1.ConfigMap); ok {
		for name, content := range config.Data {
			readSettings(t, filepath.Join(page, name), []byte(content), reader)
		}
	}
}

func readSettings(t *testing.T, path string, content []byte, reader *settings.Reader) {
	t.Helper()
	file, err := reader.Read(path, content)
	if err != nil || len(file.Notes) > 0 {
		t.Errorf("%v %v", err, file.Notes)
	}
}
