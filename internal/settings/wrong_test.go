package settings

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/wrong.golden")

const (
	web  = "https://myvault.vault.azure.net/secrets/web"
	head = "apiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificate\n"
	pem  = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHsecretsecretsecretsecretsecretsecretsecret\n-----END PRIVATE KEY-----\n"
)

// manifest is an ObservedCertificate with further lines of its spec.
func manifest(name string, spec ...string) string {
	return head + "metadata:\n  name: " + name + "\nspec:\n  url: " + web + "\n" + strings.Join(spec, "\n") + "\n"
}

// secretsOf is the extension's settings with members beside the list, and its entries.
func secretsOf(beside, entries string) string {
	if beside != "" {
		beside = "\n    " + beside + ","
	}
	return "{\n  \"secretsManagementSettings\": {" + beside + "\n    \"observedCertificates\": [\n" + entries + "\n    ]\n  }\n}\n"
}

// entry is an entry of the extension's settings with further members.
func entry(members string) string {
	return "      {\"url\": \"" + web + "\", " + members + "}"
}

func utf16of(text string, order binary.AppendByteOrder) []byte {
	var wide []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = order.AppendUint16(wide, unit)
	}
	return wide
}

// wrong are files that must be rejected. testdata/wrong.golden has the message of each.
var wrong = []struct{ name, file, content string }{
	// Not settings at all.
	{"empty file", "settings.json", ""},
	{"blanks only", "settings.json", " \r\n\t\n"},
	{"comments only", "settings.yaml", "# nothing\n---\n# here\n"},
	{"HTML", "settings.json", "<!DOCTYPE html>\n<html><body>Sign in</body></html>"},
	{"PEM", "settings.json", pem},
	{"PEM after attributes", "web.pem", "Bag Attributes\n    localKeyID: 01\n" + pem},
	{"PEM in UTF-16", "web.pem", "\xff\xfe" + string(utf16of(pem, binary.LittleEndian))},
	{"PFX", "web.pfx", "\x30\x82\x0a\x01\x02\x01\x03\x30\x82"},
	{"PFX in base64", "web.txt", "MIIKAQIBAzCCCc" + strings.Repeat("secret", 40) + "=\r\n"},
	{"archive", "settings.zip", "PK\x03\x04\x14\x00"},
	{"Terraform", "main.tf", "resource \"azurerm_virtual_machine_extension\" \"kv\" {\n  name = \"kv\"\n}\n"},
	{"Bicep", "main.bicep", "param vaultName string = 'myvault'\n\nresource ext 'Microsoft.Compute/virtualMachines/extensions@2022-08-01' = {\n}\n"},
	{"a password", "settings.txt", "hunter2\n"},
	{"a file name as az takes it", "settings.txt", "@settings.json"},
	{"a number", "settings.json", "5"},
	{"null", "settings.json", "null"},
	{"an empty map", "settings.json", "{}"},
	{"settings of another program", "appsettings.json", `{"ConnectionStrings": {"Default": "Server=db;Password=hunter2"}, "Logging": {}}`},
	{"a whole ARM template", "template.json", `{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": []}`},

	// Encoding.
	{"UTF-16 with half a character at its end", "settings.json", "\xff\xfe" + string(utf16of("{\r\n \"a\"", binary.LittleEndian)) + "\x3a"},
	{"UTF-16 with half a surrogate pair", "settings.json", "\xfe\xff" + string(utf16of("{\n\n\"", binary.BigEndian)) + "\xd8\x3d\x00\x22"},
	{"a NUL in the middle", "settings.yaml", "observedCertificates:\n- " + web + "\x00\n"},
	{"Windows-1252", "settings.yaml", "observedCertificates:\n- url: " + web + "\n  accounts: [Dienst f\xfcr mich]\n"},

	// JSON.
	{"half-written JSON", "settings.json", "{\n  \"secretsManagementSettings\": {\n    \"observedCertificates\": [\n      \"https://myva"},
	{"JSON without its last brackets", "settings.json", "{\n  \"secretsManagementSettings\": {\n    \"observedCertificates\": [\n      \"" + web + "\"\n"},
	{"JSON without a comma", "settings.json", "{\n\"pollingIntervalInS\": \"3600\"\n\"observedCertificates\": []}"},
	{"JSON with one backslash", "settings.json", secretsOf("", entry(`"accounts": ["NT AUTHORITY\NETWORK SERVICE"]`))},
	{"JSON with a line break in a string", "settings.json", "{\"observedCertificates\": [\"https://\nmyvault\"]}"},
	{"JSON with a bare word", "settings.json", `{"observedCertificates": [hunter2, "a]}`},
	{"JSON and something after it", "settings.json", "{\"observedCertificates\": []}\n}\n"},
	{"JSON with an open comment", "settings.json", "/* nothing\n{}"},
	{"two keys alike in JSON", "settings.json", "{\n\"observedCertificates\": [],\n\n\"observedCertificates\": [\"" + web + "\"]}"},
	{"two keys alike but for case", "settings.json", "{\n\"observedCertificates\": [],\n\"ObservedCertificates\": []}"},
	{"JSON nested too deep", "settings.json", "{\"observedCertificates\":\n" + strings.Repeat("[", 100_000)},
	{"too many values", "settings.json", "{\"observedCertificates\": [" + strings.Repeat("1,", MaxSize/2-20) + "1]}"},

	// YAML.
	{"tabs in YAML", "settings.yaml", "secretsManagementSettings:\n  pollingIntervalInS: 60\n\tobservedCertificates: []\n"},
	{"half-written YAML", "web.yaml", head + "metadata:\n  name: web\nspec:\n  url: \"https://myvau"},
	{"YAML with wrong indentation", "web.yaml", head + "metadata:\n  name: web\nspec:\n  url: " + web + "\n suspend: true\n"},
	{"two keys alike in YAML", "web.yaml", manifest("web", "  url: https://myvault.vault.azure.net/secrets/api")},
	{"YAML that refers to itself", "settings.yaml", "observedCertificates: &a\n- " + web + "\n- *a\n"},
	{"an alias without an anchor", "settings.yaml", "observedCertificates: *none\n"},
	{"a bomb of aliases", "settings.yaml", bomb()},
	{"YAML nested too deep", "settings.yaml", "observedCertificates: " + strings.Repeat("[", 70) + strings.Repeat("]", 70)},
	{"YAML with a control character by mistake", "settings.yaml", "observedCertificates:\n- url: " + web + "\n  accounts:\n  - \"NT AUTHORITY\\NETWORK SERVICE\"\n"},
	{"a placeholder as a key", "settings.yaml", "observedCertificates:\n- {{ .Values.url }}\n"},

	// Other kinds, and manifests.
	{"a Secret", "secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\nstringData:\n  password: hunter2\n"},
	{"a ConfigMap", "config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  settings.json: '{}'\n"},
	{"a SecretProviderClass", "class.yaml", "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata:\n  name: web\n"},
	{"a Deployment in a list", "list.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n"},
	{"the kind in other letters", "web.yaml", "apiVersion: vaultpane.dev/v1alpha1\nkind: observedcertificate\n"},
	{"another version", "web.yaml", "apiVersion: vaultpane.dev/v1\nkind: ObservedCertificate\n"},
	{"no version", "web.yaml", "kind: ObservedCertificate\n"},
	{"no kind", "web.yaml", "apiVersion: vaultpane.dev/v1alpha1\nmetadata:\n  name: web\nspec:\n  url: " + web + "\n"},
	{"a list without items", "list.yaml", "apiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificateList\n"},
	{"a list whose item has no kind", "list.yaml", "apiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificateList\nitems:\n- metadata: {name: web}\n"},
	{"manifests in a YAML list", "list.yaml", "- apiVersion: vaultpane.dev/v1alpha1\n  kind: ObservedCertificate\n"},
	{"no metadata", "web.yaml", head + "spec:\n  url: " + web + "\n"},
	{"no name", "web.yaml", head + "metadata:\n  labels: {a: b}\nspec:\n  url: " + web + "\n"},
	{"a generated name", "web.yaml", head + "metadata:\n  generateName: web-\nspec:\n  url: " + web + "\n"},
	{"a name in capitals", "web.yaml", manifest("Web")},
	{"a number as name", "web.yaml", manifest("5")},
	{"a label that is no string", "web.yaml", head + "metadata:\n  name: web\n  labels:\n    tier: 1\nspec:\n  url: " + web + "\n"},
	{"a label that is none", "web.yaml", head + "metadata:\n  name: web\n  labels:\n    tier: a b\nspec:\n  url: " + web + "\n"},
	{"an unknown field of metadata", "web.yaml", head + "metadata:\n  name: web\n  label: {}\nspec:\n  url: " + web + "\n"},
	{"no spec", "web.yaml", head + "metadata:\n  name: web\n"},
	{"no url", "web.yaml", head + "metadata:\n  name: web\nspec:\n  suspend: true\n"},
	{"misspelt fields", "web.yaml", manifest("web", "  URL: x", "  pollingInterval: 60", "  certificateStore: MY", "  foo: bar")},
	{"an unknown field at the top", "web.yaml", manifest("web") + "specs: {}\n"},
	{"labels where a selector is meant", "web.yaml", manifest("web", "  nodeSelector:", "    kubernetes.io/os: windows")},
	{"wrong types", "web.yaml", manifest("web", "  certificateStoreName: [MY]", "  suspend: \"yes\"", "  pollingIntervalInS: \"3600\"", "  authentication: msi")},
	{"a resource id as identity", "web.yaml", manifest("web", "  authentication:", "    msiClientId: /subscriptions/1")},
	{"an unknown policy", "web.yaml", manifest("web", "  deletionPolicy: Remove")},
	{"a selector with a wrong operator", "web.yaml", manifest("web", "  nodeSelector:", "    matchExpressions:", "    - key: os", "      operator: Is")},
	{"an exportable key in Root", "web.yaml", manifest("web", "  certificateStoreName: Root", "  keyExportable: true")},
	{"a password in the URL", "web.yaml", head + "metadata:\n  name: web\nspec:\n  url: https://me:hunter2@myvault.vault.azure.net/secrets/web?sig=hunter2\n"},
	{"a PEM block for the URL", "web.yaml", head + "metadata:\n  name: web\nspec:\n  url: |\n    " + strings.ReplaceAll(pem, "\n", "\n    ") + "\n"},
	{"two manifests of one name", "web.yaml", manifest("web") + "---\n" + manifest("web", "  certificateStoreName: WebHosting")},
	{"a manifest with the name of an entry", "all.yaml", "observedCertificates: [" + web + "]\n---\n" + manifest("web")},
	{"an entry that gets the name of a manifest", "all.yaml", manifest("web") + "---\nobservedCertificates: [" + web + "]\n"},
	{"several mistakes in several documents", "all.yaml", manifest("web", "  pollingIntervalInS: -5", "  accounts: [a/b, ' ', a/b]") + "---\n" + manifest("api", "  suspended: true")},

	// The extension's settings.
	{"no list", "settings.json", `{"secretsManagementSettings": {"pollingIntervalInS": "3600"}}`},
	{"a list that is null", "settings.json", `{"observedCertificates": null}`},
	{"a number for the list", "settings.json", `{"observedCertificates": 5}`},
	{"a list of lists", "settings.json", secretsOf("", "["+quoted(web)+"]")},
	{"a number and null as entries", "settings.json", secretsOf("", "1,\nnull")},
	{"an entry without url", "settings.json", secretsOf("", `{"certificateStoreName": "MY"}`)},
	{"an empty url", "settings.json", secretsOf("", `{"url": " "}, ""`)},
	{"what az prints of a certificate", "settings.json", secretsOf("", `{"id": "https://myvault.vault.azure.net/certificates/web", "name": "web"}`)},
	{"placeholders", "settings.json", secretsOf("", `"<url of the secret>", "https://{vault}.vault.azure.net/secrets/web",`+"\n"+`"[parameters('url')]", "https://$(vault).vault.azure.net/secrets/web"`)},
	{"a reference of App Service", "settings.json", secretsOf("", quoted("@Microsoft.KeyVault(SecretUri="+web+")"))},
	{"a page of the portal", "settings.json", secretsOf("", quoted("https://portal.azure.com/#view/Microsoft_Azure_KeyVault"))},
	{"http, one slash, and a certificate's URL", "settings.json", secretsOf("", quoted("http://myvault.vault.azure.net/secrets/a")+",\n"+quoted("https:/myvault.vault.azure.net/secrets/b")+",\n"+quoted("https://myvault.vault.azure.net/certificates/c/"))},
	{"a word as version", "settings.json", secretsOf("", quoted(web+"/latest"))},
	{"what ConvertTo-Json makes of maps", "settings.json", secretsOf("", quoted("@{url="+web+"; certificateStoreName=MY}")+", "+quoted("System.Collections.Hashtable"))},
	{"misspelt keys", "settings.json", "{\n\"secretsManagementSettings\": {\n\"pollingIntervalInSeconds\": 60,\n\"observedCertificates\": [\n" + entry(`"certificateStoreNam": "MY", "account": ["a"], "frob": 1`) + "\n]},\n\"authenticationSetting\": {}}"},
	{"keys with dashes", "settings.json", secretsOf(`"polling-interval-in-s": 60`, quoted(web))},
	{"Linux: keys", "settings.json", "{\n\"loggingSettings\": {},\n\"secretsManagementSettings\": {\n\"aclEnabled\": true,\n\"observedCertificates\": [\n" + entry(`"customSymbolicLinkName": "web", "acls": []`) + "\n]}}"},
	{"Linux: a directory", "settings.json", secretsOf(`"certificateStoreLocation": "/var/lib/waagent"`, quoted(web))},
	{"Linux: the type", "resource.json", "{\n\"properties\": {\n\"type\": \"KeyVaultForLinux\",\n\"settings\": {}}}"},
	{"another extension", "resource.json", `{"typePropertiesType": "KeyVaultForPaaS", "settings": {"secretsManagementSettings": {}}}`},
	{"a list of extensions", "list.json", "\n[{\"name\": \"KVVMExtensionForWindows\", \"settings\": {}}]"},
	{"intervals", "settings.json", secretsOf("", entry(`"pollingIntervalInS": "1h"`)+",\n"+entry(`"pollingIntervalInS": 60.5, "certificateStoreName": "A"`)+",\n"+entry(`"pollingIntervalInS": -3600, "certificateStoreName": "B"`)+",\n"+entry(`"pollingIntervalInS": 1e30, "certificateStoreName": "C"`)+",\n"+entry(`"pollingIntervalInS": 99999999999999, "certificateStoreName": "D"`)+",\n"+entry(`"pollingIntervalInS": 3e7, "certificateStoreName": "E"`)+",\n"+entry(`"pollingIntervalInS": true, "certificateStoreName": "F"`))},
	{"an interval beside the list, told once", "settings.json", secretsOf(`"pollingIntervalInS": "10"`, quoted(web)+", "+quoted(web+"2"))},
	{"a boolean that is none", "settings.json", secretsOf(`"linkOnRenewal": "yes"`, entry(`"keyExportable": 1`))},
	{"accounts", "settings.json", secretsOf("", entry(`"accounts": {"name": "a"}`)+",\n"+entry(`"certificateStoreName": "A", "accounts": [5]`)+",\n"+entry(`"certificateStoreName": "B", "accounts": "NT AUTHORITY/SYSTEM, IIS_IUSRS"`)+",\n"+entry(`"certificateStoreName": "C", "accounts": ["a",`+"\n"+`"b;c"]`))},
	{"a display name as store", "settings.json", secretsOf(`"certificateStoreName": "Personal"`, quoted(web))},
	{"a path and a number as store", "settings.json", secretsOf("", entry(`"certificateStoreName": "Cert:\\LocalMachine\\My"`)+",\n"+entry(`"certificateStoreName": 5`))},
	{"Root of the user", "settings.json", secretsOf(`"certificateStoreLocation": "CURRENT_USER"`, entry(`"certificateStoreName": "Root"`))},
	{"the same certificate with other settings", "settings.json", secretsOf("", quoted(web)+",\n"+entry(`"keyExportable": true`))},
	{"an object id", "settings.json", "{\"secretsManagementSettings\": {\"observedCertificates\": []},\n\"authenticationSettings\": {\n\"msiObjectId\": \"3f2504e0-4f89-11d3-9a0c-0305e82c3301\"}}"},
	{"an identity that is a resource id", "settings.json", "{\"secretsManagementSettings\": {\"observedCertificates\": [" + quoted(web) + "]},\n\"authenticationSettings\": {\n\"msiClientId\": \"/subscriptions/0/resourceGroups/g\"}}"},
	{"an unknown endpoint, and zeros", "settings.json", "{\"secretsManagementSettings\": {\"observedCertificates\": [" + quoted(web) + "]},\n\"authenticationSettings\": {\n\"msiEndpoint\": \"http:///169.254.169.254/metadata/identity\",\n\"msiClientId\": \"00000000-0000-0000-0000-000000000000\"}}"},
	{"two identities", "settings.json", "{\"secretsManagementSettings\": {\"observedCertificates\": [],\n\"authenticationSettings\": {\"msiClientId\": \"3f2504e0-4f89-11d3-9a0c-0305e82c3301\"}},\n\"authenticationSettings\": {\"msiClientId\": \"72f988bf-86f1-41af-91ab-2d7cd011db47\"}}"},
	{"the identity of Cloud Services, and a list", "settings.json", "{\"secretsManagementSettings\": {\"observedCertificates\": [],\n\"authenticationSettings\": {\"clientId\": \"a\"}},\n\"authenticationSettings\": []}"},
	{"an error in a string in a string", "settings.json", "{\n\"settings\": " + quoted(quoted("{\n\"observedCertificates\": [\n\"a\" \"b\"]}")) + "}"},
	{"an error in a block of YAML", "settings.yaml", "secretsManagementSettings: |\n  {\n    \"observedCertificates\": [\n      \"" + web + "\"\n      \"" + web + "\"\n    ]\n  }\n"},
	{"a wrong value in a block of YAML", "settings.yaml", "# the settings\nsecretsManagementSettings: |\n  {\n    \"observedCertificates\": [\n      \"http://a\"\n    ]\n  }\n"},
	{"a string that is no JSON", "settings.json", `{"publicSettings": "see the vault"}`},
	{"the list as a string that is no JSON", "settings.json", `{"observedCertificates": "[1, 2"}`},
	{"a file name for the settings", "resource.json", `{"settings": "@settings.json"}`},
	{"settings that are null", "settings.json", `{"secretsManagementSettings": null}`},
	{"the list beside the settings", "settings.json", `{"secretsManagementSettings": {"observedCertificates": []}, "observedCertificates": []}`},
	{"two documents in a string", "settings.json", `{"settings": "{a: 1}\n---\n{b: 2}\n"}`},
	{"a NUL in a string", "settings.json", `{"settings": "{\u0000"}`},
	{"numbers for the url, an identity and an account", "settings.json", "{\"secretsManagementSettings\": {\"observedCertificates\": [\n{\"url\": 5}],\n\"accounts\": \"[5]\"},\n\"authenticationSettings\": {\"msiClientId\": 7}}"},
	{"labels as a list", "web.yaml", head + "metadata:\n  name: web\n  labels: [a]\nspec:\n  url: " + web + "\n"},
	{"metadata as a list", "web.yaml", head + "metadata: [a]\nspec:\n  url: " + web + "\n"},
	{"lists of lists of manifests", "list.yaml", "apiVersion: v1\nkind: List\nitems:\n- - kind: ObservedCertificate\n- - a\n"},
	{"a history that no integer holds", "web.yaml", manifest("web", "  revisionHistoryLimit: 99999999999")},
	{"a thousand unknown fields", "web.yaml", manifest("web", many(1000, "  unknown#: 1"))},
	{"a thousand wrong entries", "settings.json", secretsOf("", many(1000, "#,")+"0")},
	{"a wrong store is no second certificate of the default store", "settings.json", secretsOf("", quoted(web)+",\n"+entry(`"certificateStoreName": 5, "keyExportable": true, "pollingIntervalInS": 5`))},
	{"wrapped without an end", "settings.json", strings.Repeat(`{"settings": `, 12) + "{}" + strings.Repeat("}", 12)},
}

// quoted is a text as a JSON string.
func quoted(text string) string { return fmt.Sprintf("%q", text) }

// bomb is YAML of a few lines with 10^9 values.
func bomb() string {
	lines := []string{"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"}
	for i := range 8 {
		lines = append(lines, fmt.Sprintf("a%d: &a%d [%s*a%d]", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i))
	}
	return strings.Join(lines, "\n") + "\nobservedCertificates: *a8\n"
}

func newReader(t testing.TB) *Reader {
	t.Helper()
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

func TestWrongFilesAreRejectedWithAMessageThatHelps(t *testing.T) {
	reader := newReader(t)
	var all bytes.Buffer
	for _, test := range wrong {
		file, err := reader.Read(test.file, []byte(test.content))
		if err == nil {
			t.Errorf("%s: accepted, as %+v", test.name, file)
			continue
		}
		for _, problem := range problemsOf(t, err) {
			if problem.Line < 1 || problem.File != test.file || problem.Text == "" {
				t.Errorf("%s: the problem lacks its file, line or text: %+v", test.name, problem)
			}
		}
		if len(file.Certificates) > 0 {
			t.Errorf("%s: yields certificates in spite of %v", test.name, err)
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: the message shows a secret: %v", test.name, err)
		}
		fmt.Fprintf(&all, "## %s\n%v\n\n", test.name, err)
	}
	const golden = "testdata/wrong.golden"
	if *update {
		if err := os.WriteFile(golden, all.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n\n"), strings.Split(all.String(), "\n\n")); diff != "" {
		t.Errorf("messages differ from %s (-want +got), -update rewrites it:\n%s", golden, diff)
	}
}

// many repeats a line with its number in the place of #.
func many(count int, line string) string {
	lines := make([]string, count)
	for i := range lines {
		lines[i] = strings.ReplaceAll(line, "#", fmt.Sprint(i))
	}
	return strings.Join(lines, "\n")
}

func problemsOf(t *testing.T, err error) Problems {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("not Problems: %v", err)
	}
	return problems
}
