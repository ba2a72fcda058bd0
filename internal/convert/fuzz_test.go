package convert

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/vaultpane/vaultpane/internal/convert/finding"
)

// FuzzConvert converts any bytes. Whatever comes out is valid by the CRD's rules, which are the API server's own code, and has a name
// that no other has; whatever cannot be read is said.
func FuzzConvert(f *testing.F) {
	for _, test := range cases(f) {
		for _, input := range test.inputs {
			if len(input.Content) < 1000 { // each seed is converted before the fuzzing begins
				f.Add(input.Name, input.Content)
			}
		}
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		result := converter(t).Convert([]Input{{Name: name, Content: content}}, Options{})
		names := map[string]bool{}
		for _, certificate := range result.Certificates {
			if wrong := validation.NameIsDNSSubdomain(certificate.Name, false); len(wrong) > 0 || names[certificate.Name] {
				t.Fatalf("the name %q is taken or wrong: %q", certificate.Name, wrong)
			}
			names[certificate.Name] = true
		}
		manifests, err := Write(result.Certificates, FormatYAML)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Certificates) > 0 {
			file, err := converter(t).reader.Read("out.yaml", manifests)
			if err != nil || len(file.Certificates) != len(result.Certificates) {
				t.Fatalf("the output has %d certificates, want %d: %v\n%s", len(file.Certificates), len(result.Certificates), err, manifests)
			}
		}
		var report strings.Builder
		if err := result.Report(&report); err != nil {
			t.Fatal(err)
		}
		for _, finding := range result.Findings.All {
			if finding.Text == "" || finding.Level > unreadable {
				t.Fatalf("a finding says nothing: %+v", finding)
			}
		}
	})
}

const unreadable = finding.Unreadable
