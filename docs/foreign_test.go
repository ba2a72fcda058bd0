package docs_test

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// https://cert-manager.io/docs/trust/trust-manager/api-reference/
type bundleSpec struct {
	Sources []struct {
		Secret *nameAndKey `json:"secret"`
	} `json:"sources"`
	Target struct {
		ConfigMap struct {
			Key string `json:"key"`
		} `json:"configMap"`
		NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
	} `json:"target"`
}

// https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.CertificateSpec
type certificateSpec struct {
	SecretName string   `json:"secretName"`
	DNSNames   []string `json:"dnsNames"`
	IssuerRef  struct {
		Group string `json:"group"`
		Kind  string `json:"kind"`
		Name  string `json:"name"`
	} `json:"issuerRef"`
	PrivateKey struct {
		Algorithm      string `json:"algorithm"`
		Size           int    `json:"size"`
		Encoding       string `json:"encoding"`
		RotationPolicy string `json:"rotationPolicy"`
	} `json:"privateKey"`
}

// https://external-secrets.io/latest/provider/azure-key-vault/
type storeSpec struct {
	Provider struct {
		AzureKV struct {
			AuthType          string `json:"authType"`
			VaultURL          string `json:"vaultUrl"`
			ServiceAccountRef struct {
				Name string `json:"name"`
			} `json:"serviceAccountRef"`
		} `json:"azurekv"`
	} `json:"provider"`
}

// https://external-secrets.io/latest/api/pushsecret/
type pushSpec struct {
	RefreshInterval metav1.Duration `json:"refreshInterval"`
	DeletionPolicy  string          `json:"deletionPolicy"`
	SecretStoreRefs []struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	} `json:"secretStoreRefs"`
	Selector struct {
		Secret struct {
			Name string `json:"name"`
		} `json:"secret"`
	} `json:"selector"`
	Template struct {
		EngineVersion string            `json:"engineVersion"`
		Data          map[string]string `json:"data"`
	} `json:"template"`
	Data []struct {
		Match struct {
			SecretKey string `json:"secretKey"`
			RemoteRef struct {
				RemoteKey string `json:"remoteKey"`
			} `json:"remoteRef"`
		} `json:"match"`
	} `json:"data"`
}

type nameAndKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// checkForeign reads a manifest of another project strictly. Every field of its spec that a type above has must be set.
func checkForeign(t *testing.T, page, document string, spec any) {
	t.Helper()
	manifest := struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              any `json:"spec"`
	}{Spec: spec}
	if err := yaml.UnmarshalStrict([]byte(document), &manifest); err != nil {
		t.Errorf("%s: %v\n%s", page, err, document)
	}
	read := reflect.ValueOf(spec).Elem()
	for i := range read.NumField() {
		if read.Field(i).IsZero() {
			t.Errorf("%s: %s has no %s", page, manifest.Kind, read.Type().Field(i).Name)
		}
	}
	if push, ok := spec.(*pushSpec); ok {
		for _, one := range push.Data {
			if push.Template.Data[one.Match.SecretKey] == "" {
				t.Errorf("%s: the template does not write %s", page, one.Match.SecretKey)
			}
		}
	}
}
