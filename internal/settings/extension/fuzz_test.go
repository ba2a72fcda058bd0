package extension

import (
	"regexp"
	"testing"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// breaks are the line breaks of YAML 1.1 (https://yaml.org/spec/1.1/#id871136); JSON has fewer.
var breaks = regexp.MustCompile("\r\n|\r|\n|\u0085|\u2028|\u2029")

// FuzzSettings reads any bytes as a settings file, up to the CRD's rules, which are the API machinery's own: with them, a run would be
// a hundred times slower.
func FuzzSettings(f *testing.F) {
	for _, seed := range []string{
		`{"secretsManagementSettings": {"pollingIntervalInS": "3600", "certificateStoreLocation": "LOCAL_MACHINE", "observedCertificates": ["https://v.vault.azure.net/secrets/a"]}}`,
		`{"observedCertificates": [{"url": "https://v.vault.azure.net/secrets/a", "accounts": "a, b", "keyExportable": "true"}, /* c */ ], "authenticationSettings": {"msiClientId": ""}}`,
		`"{\"observedCertificates\": \"[\\\"https://v.vault.azure.net/secrets/a\\\"]\"}"`,
		`{"runtimeSettings": [{"handlerSettings": {"publicSettings": {"observedCertificates": []}}}]}`,
		"observedCertificates:\n- &x {url: https://v.vault.azure.net/secrets/a}\n- *x\n---\nproperties: {settings: {aclEnabled: true}}\n",
		"\xff\xfe{\x00}\x00", "a:\n\t- b", "[[[", "{\"a\": 1, \"a\": 2}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		text, problem := document.Decode(content)
		if problem != nil {
			return
		}
		lines := 1 + len(breaks.FindAll(text, -1))
		nodes, problems := document.Parse(text)
		for _, node := range nodes {
			if Known(node) {
				_, wrong, notes := Read(node)
				problems = append(append(problems, wrong...), notes...)
			}
		}
		for _, problem := range problems {
			if problem.Line < 1 || problem.Line > lines || problem.Text == "" {
				t.Fatalf("no text, or a line beyond the %d of the file: %+v", lines, problem)
			}
		}
	})
}
