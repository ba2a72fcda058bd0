package settings

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

const clientID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"

// spec is the spec of a URL alone, with the CRD's defaults, changed by change.
func spec(url string, change ...func(*v1alpha1.ObservedCertificateSpec)) v1alpha1.ObservedCertificateSpec {
	spec := v1alpha1.ObservedCertificateSpec{
		URL: url, CertificateStoreName: "MY", CertificateStoreLocation: v1alpha1.LocalMachine,
		PollingIntervalInS: 3600, DeletionPolicy: v1alpha1.DeletionRetain,
	}
	for _, change := range change {
		change(&spec)
	}
	return spec
}

func identity(spec *v1alpha1.ObservedCertificateSpec) {
	spec.Authentication = &v1alpha1.Authentication{MSIClientID: clientID}
}

type specs = map[string]v1alpha1.ObservedCertificateSpec

// alone are the certificates of a file that asks for web with all defaults.
func alone() specs { return specs{"web": spec(web)} }

// valid are files with what they ask for.
var valid = []struct {
	name, content string
	want          specs
	notes         []string
}{
	{name: "2017: URLs, and settings for all beside them", content: `{
		"secretsManagementSettings": {
			"pollingIntervalInS": 1800, "certificateStoreName": "WebHosting", "certificateStoreLocation": "LOCAL_MACHINE",
			"observedCertificates": ["https://myvault.vault.azure.net:443/secrets/web", " https://myvault.vault.azure.net/secrets/My-Other/ ",],
		}
	}`, want: specs{
		"web-webhosting": spec("https://myvault.vault.azure.net:443/secrets/web", func(s *v1alpha1.ObservedCertificateSpec) {
			s.CertificateStoreName, s.PollingIntervalInS = "WebHosting", 1800
		}),
		"my-other-webhosting": spec("https://myvault.vault.azure.net/secrets/My-Other", func(s *v1alpha1.ObservedCertificateSpec) {
			s.CertificateStoreName, s.PollingIntervalInS = "WebHosting", 1800
		}),
	}},
	{name: "1.x: strings for numbers and booleans", content: `{
		"secretsManagementSettings": {
			"pollingIntervalInS": "43200", "certificateStoreName": "MY", "linkOnRenewal": "True", "certificateStoreLocation": "LocalMachine", "requireInitialSync": "False",
			"observedCertificates": ["https://myvault.vault.azure.net/secrets/web", "https://myvault.vault.azure.net/secrets/web/0123456789abcdef0123456789ABCDEF"]
		},
		"authenticationSettings": {"msiEndpoint": "http://169.254.169.254/metadata/identity", "msiClientId": " ` + clientID + ` "}
	}`, want: specs{
		"web": spec(web, identity, func(s *v1alpha1.ObservedCertificateSpec) { s.PollingIntervalInS, s.LinkOnRenewal = 43200, true }),
		"web-01234567": spec(web+"/0123456789abcdef0123456789ABCDEF", identity, func(s *v1alpha1.ObservedCertificateSpec) {
			s.PollingIntervalInS, s.LinkOnRenewal = 43200, true
		}),
	}},
	{name: "3.x: an entry for each store; trust stores drop what is about keys", content: `{
		"secretsManagementSettings": {
			"pollingIntervalInS": "3600", "linkOnRenewal": true, "requireInitialSync": true, "keyExportable": true, "accounts": "Network Service",
			"observedCertificates": [
				{"url": "` + web + `", "certificateStoreLocation": "CurrentUser", "keyExportable": "false", "accounts": ["Network Service", "NT SERVICE\\w3svc", "Network Service", ""]},
				{"url": "` + web + `", "certificateStoreName": "Root"},
				{"url": "` + web + `", "certificateStoreName": "CA", "keyExportable": false, "accounts": ["a"]}
			]
		},
		"authenticationSettings": {"msiEndpoint": "http://localhost:40342/metadata/identity"}
	}`, want: specs{
		"web-currentuser": spec(web, func(s *v1alpha1.ObservedCertificateSpec) {
			s.CertificateStoreLocation, s.Accounts, s.LinkOnRenewal, s.RequireInitialSync = v1alpha1.CurrentUser, []string{"Network Service", `NT SERVICE\w3svc`}, true, true
		}),
		"web-root": spec(web, func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName, s.RequireInitialSync = "Root", true }),
		"web-ca":   spec(web, func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName, s.RequireInitialSync = "CA", true }),
	}, notes: []string{
		"settings:7: secretsManagementSettings.observedCertificates[2].accounts has no effect, because the store CA receives public certificates and never a private key; remove it",
	}},
	{name: "4.x: few settings, and absent ones that are empty or null", content: `{
		"secretsManagementSettings": {
			"pollingIntervalInS": "", "linkOnRenewal": null,
			"observedCertificates": [{"url": "` + web + `", "certificateStoreName": null, "certificateStoreLocation": "", "accounts": null}]
		},
		"authenticationSettings": {"msiClientId": "", "msiObjectId": ""}
	}`, want: alone()},
	{name: "keys in any case, and locations in any spelling", content: `{"SecretsManagementSettings": {"CERTIFICATESTORELOCATION": "Local Machine", "ObservedCertificates": [{"URL": "` + web + `"}]}}`, want: alone()},
	{name: "the list alone", content: `{"observedCertificates": ["` + web + `"]}`, want: alone()},
	{name: "one URL in place of a list", content: `{"observedCertificates": "` + web + `"}`, want: alone()},
	{name: "one entry in place of a list", content: `{"observedCertificates": {"url": "` + web + `"}}`, want: alone()},
	{name: "a list in a string", content: `{"observedCertificates": "[\"` + web + `\"]"}`, want: alone()},
	{name: "an entry in a string", content: `{"observedCertificates": ["{\"url\": \"` + web + `\"}"]}`, want: alone()},
	{name: "several URLs in a string", content: `{"observedCertificates": "` + web + ` https://myvault.vault.azure.net/secrets/api"}`,
		want:  specs{"web": spec(web), "api": spec("https://myvault.vault.azure.net/secrets/api")},
		notes: []string{"settings:1: observedCertificates is one string with 2 URLs, as ConvertTo-Json writes a list below its -Depth; it is read as a list"}},
	{name: "both names of the store: the extension's own wins", content: `{"certificateStoreName": "MY", "certificateStore": "CA", "observedCertificates": ["` + web + `"]}`, want: alone()},
	{name: "accounts in a string that is a list", content: `{"accounts": "[\"a\", \" b \", null]", "observedCertificates": ["` + web + `"]}`,
		want: specs{"web": spec(web, func(s *v1alpha1.ObservedCertificateSpec) { s.Accounts = []string{"a", "b"} })}},
	{name: "an explicit empty list", content: `{"secretsManagementSettings": {"observedCertificates": []}}`},
	{name: "an empty list in a string", content: `{"observedCertificates": "[]"}`},
	{name: "the settings in YAML, with the list's older name of the store", content: "secretsManagementSettings:\n  certificateStore: My\n  observedCertificates:\n  - " + web + "\n",
		want: specs{"web": spec(web, func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName = "My" })}},
	{name: "the settings in a block of YAML", content: "secretsManagementSettings: |\n  {\"observedCertificates\": [\"" + web + "\"]}\n", want: alone()},
	{name: "a map in braces that is YAML", content: "{observedCertificates: ['" + web + "']}", want: alone()},
	{name: "the settings in a string", content: quoted(`{"observedCertificates": ["` + web + `"]}`), want: alone()},
	{name: "settings in a string in a string", content: `{"settings": ` + quoted(quoted(`{"observedCertificates": ["`+web+`"]}`)) + `}`, want: alone()},
	{name: "the extension's settings object", content: `{"settings": {"secretsManagementSettings": {"observedCertificates": ["` + web + `"]}, "authenticationSettings": {"msiClientId": "` + clientID + `"}}}`,
		want: specs{"web": spec(web, identity)}},
	{name: "the identity one level off", content: `{"settings": {"secretsManagementSettings": {"observedCertificates": ["` + web + `"]}}, "authenticationSettings": {"msiClientId": "` + clientID + `"}}`,
		want:  specs{"web": spec(web, identity)},
		notes: []string{"settings:1: authenticationSettings belongs into settings, where the extension reads it; it is used nevertheless"}},
	{name: "the identity within, twice the same", content: `{"secretsManagementSettings": {"observedCertificates": ["` + web + `"], "authenticationSettings": {"msiClientId": "` + clientID + `"}}, "authenticationSettings": "{\"msiClientId\": \"3F2504E0-4F89-11D3-9A0C-0305E82C3301\"}"}`,
		want: specs{"web": spec(web, func(s *v1alpha1.ObservedCertificateSpec) {
			s.Authentication = &v1alpha1.Authentication{MSIClientID: "3F2504E0-4F89-11D3-9A0C-0305E82C3301"}
		})}},
	{name: "Get-AzVMExtension", content: `{"Publisher": "Microsoft.Azure.KeyVault", "ExtensionType": "KeyVaultForWindows", "PublicSettings": "{\r\n  \"secretsManagementSettings\": {\"observedCertificates\": [\"` + web + `\"]}\r\n}", "ProtectedSettings": null}`, want: alone()},
	{name: "the machine's own file", content: `{"runtimeSettings": [{"handlerSettings": {"protectedSettingsCertThumbprint": "", "protectedSettings": null, "publicSettings": {"secretsManagementSettings": {"observedCertificates": ["` + web + `"]}}}}]}`, want: alone()},
	{name: "the resource of a template, with comments", content: `// of the VM
	{
		"type": "Microsoft.Compute/virtualMachines/extensions", "name": "KVVMExtensionForWindows", "apiVersion": "2022-08-01",
		"properties": {
			"publisher": "Microsoft.Azure.KeyVault", "type": "KeyVaultForWindows", "typeHandlerVersion": "3.0", /* in use
			since 2024 */
			"settings": {"secretsManagementSettings": {"observedCertificates": ["` + web + `"]}}
		}
	} // its end`, want: alone()},
	{name: "an exponent", content: `{"pollingIntervalInS": 3.6e3, "observedCertificates": ["` + web + `"]}`, want: alone()},
	{name: "the same certificate twice", content: `{"observedCertificates": ["` + web + `", {"url": "https://MyVault.vault.azure.net:443/secrets/Web", "certificateStoreName": "my", "certificateStoreLocation": "LOCAL_MACHINE"}]}`, want: alone()},
	{name: "names that differ in punctuation", content: `{"observedCertificates": [{"url": "` + web + `", "certificateStoreName": "My Store"}, {"url": "` + web + `", "certificateStoreName": "My-Store"}, {"url": "` + web + `", "certificateStoreName": "My_Store"}]}`, want: specs{
		"web-my-store":                  spec(web, func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName = "My Store" }),
		"web-my-store-myvault-8831":     spec(web, func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName = "My-Store" }),
		"web-my-store-myvault-023851bf": spec(web, func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName = "My_Store" }),
	}},
	{name: "UTF-8 with a byte order mark", content: "\ufeff" + `{"observedCertificates": ["` + web + `"]}`, want: alone()},
	{name: "UTF-16 as PowerShell writes it", content: "\xff\xfe" + string(utf16of("{\r\n\"observedCertificates\": [\r\n\""+web+"\"] // \U0001F600\r\n}", binary.LittleEndian)), want: alone()},
	{name: "UTF-16 in the other order", content: "\xfe\xff" + string(utf16of("observedCertificates: ["+web+"]\n", binary.BigEndian)), want: alone()},
	{name: "UTF-16 without a mark", content: string(utf16of("observedCertificates: ["+web+"]\n", binary.LittleEndian)), want: alone()},
	{name: "UTF-16 without a mark in the other order", content: string(utf16of("observedCertificates: ["+web+"]\n", binary.BigEndian)), want: alone()},
	{name: "a manifest", content: manifest("web"), want: alone()},
	{name: "a manifest in JSON", content: `{"apiVersion": "vaultpane.dev/v1alpha1", "kind": "ObservedCertificate", "metadata": {"name": "web"}, "spec": {"url": "` + web + `"}}`, want: alone()},
	{name: "a manifest with every field", content: manifest("all", "  certificateStoreName: WebHosting", "  certificateStoreLocation: CURRENT_USER", "  pollingIntervalInS: 60",
		"  keyExportable: true", "  accounts: [Network Service]", "  linkOnRenewal: true", "  requireInitialSync: true", "  authentication: {msiClientId: "+clientID+"}",
		"  nodeSelector:", "    matchLabels: {kubernetes.io/os: windows}", "    matchExpressions: [{key: gpu, operator: DoesNotExist}]",
		"  deletionPolicy: Delete", "  revisionHistoryLimit: 0", "  keyStorageProvider: CAPI", "  suspend: true"),
		want: specs{"all": {
			URL: web, CertificateStoreName: "WebHosting", CertificateStoreLocation: v1alpha1.CurrentUserPreview, PollingIntervalInS: 60,
			KeyExportable: true, Accounts: []string{"Network Service"}, LinkOnRenewal: true, RequireInitialSync: true, Authentication: &v1alpha1.Authentication{MSIClientID: clientID},
			NodeSelector: &v1alpha1.NodeSelector{
				MatchLabels:      map[string]v1alpha1.LabelValue{"kubernetes.io/os": "windows"},
				MatchExpressions: []v1alpha1.NodeSelectorRequirement{{Key: "gpu", Operator: "DoesNotExist"}},
			},
			DeletionPolicy: v1alpha1.DeletionDelete, RevisionHistoryLimit: new(int32), KeyStorageProvider: v1alpha1.ProviderCAPI, Suspend: true,
		}}},
	{name: "several documents, some empty", content: "# first\n---\n" + manifest("web") + "---\n---\n# none\n---\n" + manifest("api") + "...\n", want: specs{"web": spec(web), "api": spec(web)}},
	{name: "lists, as kubectl prints them", content: "apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\nitems:\n- apiVersion: vaultpane.dev/v1alpha1\n  kind: ObservedCertificateList\n  items:\n  - {apiVersion: vaultpane.dev/v1alpha1, kind: ObservedCertificate, metadata: {name: web}, spec: {url: '" + web + "'}}\n", want: alone()},
	{name: "an empty list of objects", content: "apiVersion: v1\nkind: List\nitems: []\n"},
	{name: "nulls are absent", content: manifest("web", "  accounts:", "  authentication:", "  certificateStoreName: null"), want: alone()},
	{name: "anchors and merged maps", content: "x: &web {url: " + web + ", certificateStoreName: CA}\nsettings:\n  observedCertificates:\n  - {<<: *web, certificateStoreName: MY}\n", want: alone()},
	{name: "manifests and settings in one file", content: manifest("api") + "---\nobservedCertificates: [" + web + "]\n", want: specs{"api": spec(web), "web": spec(web)}},
}

func TestEveryFormAsksForWhatItSays(t *testing.T) {
	reader := newReader(t)
	for _, test := range valid {
		t.Run(test.name, func(t *testing.T) {
			file, err := reader.Read("settings", []byte(test.content))
			if err != nil {
				t.Fatal(err)
			}
			got := specs{}
			for _, certificate := range file.Certificates {
				got[certificate.Name] = certificate.Spec
			}
			if diff := cmp.Diff(test.want, got); diff != "" && len(test.want)+len(got) > 0 || len(got) != len(file.Certificates) {
				t.Errorf("asks for something else (-want +got):\n%s", diff)
			}
			var notes []string
			for _, note := range file.Notes {
				notes = append(notes, note.Error())
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("notes differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatOnlyAClusterSetsIsLeftOut(t *testing.T) {
	file, err := newReader(t).Read("web.yaml", []byte(head+`metadata:
  name: web
  namespace: default
  uid: 3f2504e0-4f89-11d3-9a0c-0305e82c3301
  resourceVersion: "5"
  generation: 7
  creationTimestamp: "2026-01-01T00:00:00Z"
  finalizers: [a/b]
  managedFields: [{manager: kubectl}]
  ownerReferences: [{name: x}]
  labels: {tier: front}
  annotations: {vaultpane.dev/requestedAt: "2026-01-01T00:00:00Z"}
spec:
  url: `+web+`
status:
  observedGeneration: x
  anything: 5
`))
	if err != nil {
		t.Fatal(err)
	}
	want := File{Path: "web.yaml", Positions: []Position{{Line: 4}}, Certificates: []v1alpha1.ObservedCertificate{{
		TypeMeta: metav1.TypeMeta{APIVersion: "vaultpane.dev/v1alpha1", Kind: "ObservedCertificate"},
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"tier": "front"},
			Annotations: map[string]string{"vaultpane.dev/requestedAt": "2026-01-01T00:00:00Z"}},
		Spec: spec(web),
	}}}
	if diff := cmp.Diff(want, file); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
