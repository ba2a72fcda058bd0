package convert

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings"
)

var update = flag.Bool("update", false, "write the golden files anew")

const folder = "testdata/cases"

// testCase is a set of inputs with options, and the golden file that has what becomes of them.
type testCase struct {
	name    string
	inputs  []Input
	options Options
}

// cases returns one case for each set of inputs in the folder: files whose names begin with the same number belong together, except
// for templates alone.
func cases(t testing.TB) []testCase {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	byNumber := map[string][]Input{}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), ".golden") {
			continue
		}
		number, _, _ := strings.Cut(file.Name(), "-")
		byNumber[number] = append(byNumber[number], input(t, file.Name()))
	}
	all := []testCase{
		{name: "13b-without-parameters", inputs: []Input{input(t, "13-arm-with-parameters.json")}},
		{name: "14b-without-linked", inputs: []Input{input(t, "14-linked-main.json")}},
		{name: "27b-latest", inputs: []Input{input(t, "27-osprofile-vm.json")}, options: Options{Latest: true}},
		{name: "86b-node-selector", inputs: []Input{input(t, "86-reach-by-pool.json")}, options: Options{Prefix: "win-", NodeSelector: &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "pay"}}}},
	}
	for _, inputs := range byNumber {
		all = append(all, testCase{name: strings.TrimSuffix(inputs[0].Name, filepath.Ext(inputs[0].Name)), inputs: inputs})
	}
	slices.SortFunc(all, func(a, b testCase) int { return strings.Compare(a.name, b.name) })
	if len(all) < 70 {
		t.Fatalf("only %d cases were found", len(all))
	}
	return all
}

func input(t testing.TB, name string) Input {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return Input{Name: name, Content: content}
}

// TestCases compares objects, report and exit code with the golden files.
func TestCases(t *testing.T) {
	for _, test := range cases(t) {
		t.Run(test.name, func(t *testing.T) {
			got := shown(t, test.inputs, test.options)
			slices.Reverse(test.inputs)
			if again := shown(t, test.inputs, test.options); again != got {
				t.Errorf("another order of the files changes the output:\n%s", cmp.Diff(got, again))
			}
			golden := filepath.Join(folder, test.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got); -update writes the file anew:\n%s", diff)
			}
		})
	}
}

// shown is all that a user sees of a conversion.
func shown(t testing.TB, inputs []Input, options Options) string {
	t.Helper()
	result, out := converted(t, inputs, options, FormatYAML)
	var report bytes.Buffer
	if err := result.Report(&report); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s\n# exit %d\n%s", out, result.ExitCode(), report.String())
}

// converter is compiled once.
func converter(t testing.TB) *Converter {
	t.Helper()
	made, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var compiled = sync.OnceValues(New)

func converted(t testing.TB, inputs []Input, options Options, format string) (Result, string) {
	t.Helper()
	result := converter(t).Convert(inputs, options)
	out, err := Write(result.Certificates, format)
	if err != nil {
		t.Fatal(err)
	}
	return result, string(out)
}

// TestEveryFormatSaysTheSame reads each format back: manifests and settings as the agent without a cluster does.
func TestEveryFormatSaysTheSame(t *testing.T) {
	reader, err := settings.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range cases(t) {
		result, manifests := converted(t, test.inputs, test.options, FormatYAML)
		if len(result.Certificates) == 0 || test.options.Prefix != "" {
			continue
		}
		want := map[string]v1alpha1.ObservedCertificateSpec{}
		for _, certificate := range result.Certificates {
			want[certificate.Name] = certificate.Spec
		}
		if diff := cmp.Diff(want, specs(t, reader, manifests)); diff != "" {
			t.Errorf("%s: manifests (-want +got):\n%s", test.name, diff)
		}
		_, values := converted(t, test.inputs, test.options, FormatHelmValues)
		var chart struct {
			Certificates map[string]any `json:"certificates"`
		}
		if err := yaml.Unmarshal([]byte(values), &chart); err != nil || len(chart.Certificates) != len(want) {
			t.Errorf("%s: values of the chart have %d certificates, want %d: %v", test.name, len(chart.Certificates), len(want), err)
		}
		for name, spec := range want {
			spec.NodeSelector = nil
			want[name] = spec
		}
		_, text := converted(t, test.inputs, test.options, FormatSettings)
		if diff := cmp.Diff(want, specs(t, reader, text)); diff != "" {
			t.Errorf("%s: settings (-want +got):\n%s", test.name, diff)
		}
	}
}

func specs(t *testing.T, reader *settings.Reader, text string) map[string]v1alpha1.ObservedCertificateSpec {
	t.Helper()
	file, err := reader.Read("out.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got := map[string]v1alpha1.ObservedCertificateSpec{}
	for _, certificate := range file.Certificates {
		got[certificate.Name] = certificate.Spec
	}
	return got
}

// TestTheAgentReadsTheSame takes the chart's cases of settings, which the agent without a cluster reads too.
func TestTheAgentReadsTheSame(t *testing.T) {
	files, err := filepath.Glob("../../charts/testdata/values/extension-*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("the chart's cases are missing: %q, %v", files, err)
	}
	reader, err := settings.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		var values map[string]any
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(content, &values); err != nil {
			t.Fatal(err)
		}
		only := map[string]any{}
		for _, key := range []string{"secretsManagementSettings", "authenticationSettings"} {
			if values[key] != nil {
				only[key] = values[key]
			}
		}
		text, err := yaml.Marshal(only)
		if err != nil {
			t.Fatal(err)
		}
		result, _ := converted(t, []Input{{Name: path, Content: text}}, Options{}, FormatYAML)
		got := map[string]v1alpha1.ObservedCertificateSpec{}
		for _, certificate := range result.Certificates {
			certificate.Spec.NodeSelector = nil
			got[certificate.Name] = certificate.Spec
		}
		if diff := cmp.Diff(specs(t, reader, string(text)), got); diff != "" {
			t.Errorf("%s (-agent +convert):\n%s", path, diff)
		}
	}
}

// TestNothingOfProtectedSettingsIsShown plants a word where secrets are.
func TestNothingOfProtectedSettingsIsShown(t *testing.T) {
	const word = "TopSecretWord"
	text := `{"publisher": "Microsoft.Azure.KeyVault", "type": "KeyVaultForWindows", "protectedSettings": {"secretsManagementSettings": {"observedCertificates": ["https://a.vault.azure.net/secrets/` + word + `"]}},
	  "settings": {"secretsManagementSettings": {"pollingIntervalInS": "-----BEGIN PRIVATE KEY-----` + word + `", "observedCertificates": ["https://user:` + word + `@a.vault.azure.net/secrets/a", "https://a.vault.azure.net/secrets/b?sig=` + word + `", "https://a.vault.azure.net/secrets/c#` + word + `"]}}}`
	if got := shown(t, []Input{{Name: "settings.json", Content: []byte(text)}}, Options{}); strings.Contains(got, word) {
		t.Errorf("a secret is shown:\n%s", got)
	}
}

// TestTheChartTakesTheValues keeps a file of the chart's own cases current, so that the chart renders what convert writes.
func TestTheChartTakesTheValues(t *testing.T) {
	const path = "../../charts/testdata/values/converted.yaml"
	var inputs []Input
	for _, name := range []string{"15-arm-property-copy.json", "39-vmss-show.json", "76-stores.json", "41-get-azvmextension.json"} {
		inputs = append(inputs, input(t, name))
	}
	_, got := converted(t, inputs, Options{}, FormatHelmValues)
	got = "# What 'kubectl vaultpane convert -o helm-values' writes of several of its cases.\n" + got
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got); -update writes the file anew:\n%s", diff)
	}
}
