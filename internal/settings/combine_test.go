package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSeveralFilesBecomeOneSet(t *testing.T) {
	other := strings.Replace(web, "myvault", "othervault", 1)
	tests := []struct {
		name     string
		files    []string
		names    []string
		problems []string
	}{
		{"nothing", nil, []string{}, nil},
		{"different names", []string{manifest("b"), manifest("a"), settingsOf(web)}, []string{"b", "a", "web"}, nil},
		{"two manifests of one name", []string{manifest("web"), "# a comment\n" + manifest("web")}, []string{"web"}, []string{
			`1:5: metadata.name is "web": the ObservedCertificate at 0:4 has this name; choose another, or remove one of the two`,
		}},
		{"a manifest behind settings", []string{settingsOf(web), "kind: List\napiVersion: v1\nitems:\n- " + strings.ReplaceAll(manifest("web"), "\n", "\n  ")}, []string{"web"}, []string{
			`1:7: items[0].metadata.name is "web": the certificate of the extension's settings at 0:1 gets this name; choose another`,
		}},
		{"settings behind a manifest", []string{manifest("web"), settingsOf(web)}, []string{"web"}, []string{
			`1:1: observedCertificates[0] gets the name web, which the ObservedCertificate at 0:4 has; choose another name there`,
		}},
		{"one secret's name in two vaults", []string{settingsOf(web), settingsOf(other)}, []string{"web", "web-othervault-a4f5"}, nil},
		{"the same in the other order: earlier files win", []string{settingsOf(other), settingsOf(web)}, []string{"web", "web-myvault-8831"}, nil},
		{"one entry in two files", []string{settingsOf(web), settingsOf(web)}, []string{"web"}, nil},
		{"one entry in two files with other settings", []string{settingsOf(web), "{\"pollingIntervalInS\": 60,\n\"observedCertificates\": [\"" + web + "\"]}"}, []string{"web"}, []string{
			`1:2: observedCertificates[0] has ` + web + ` for the store MY of LocalMachine a second time, with other settings than at 0:1; remove one of the two`,
		}},
		{"one entry for two stores", []string{settingsOf(web), `{"certificateStoreName": "CA", "observedCertificates": ["` + web + `"]}`}, []string{"web", "web-ca"}, nil},
	}
	reader := newReader(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var files []File
			for i, content := range test.files {
				file, err := reader.Read(string(rune('0'+i)), []byte(content))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, file)
			}
			certificates, problems := Combine(files)
			names := []string{}
			for _, certificate := range certificates {
				names = append(names, certificate.Name)
			}
			if diff := cmp.Diff(test.names, names); diff != "" {
				t.Errorf("names differ (-want +got):\n%s", diff)
			}
			var says []string
			for _, problem := range problems {
				says = append(says, problem.Error())
			}
			if diff := cmp.Diff(test.problems, says); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
		})
	}
}

func settingsOf(url string) string { return `{"observedCertificates": ["` + url + `"]}` }

func TestCombineLeavesFilesAsTheyAre(t *testing.T) {
	reader := newReader(t)
	file, err := reader.Read("a", []byte(settingsOf(web)))
	if err != nil {
		t.Fatal(err)
	}
	again, err := reader.Read("a", []byte(settingsOf(web)))
	if err != nil {
		t.Fatal(err)
	}
	combined, _ := Combine([]File{file})
	combined[0].Name, combined[0].Spec.URL = "changed", "changed"
	if diff := cmp.Diff(again, file); diff != "" {
		t.Errorf("the file changed (-before +after):\n%s", diff)
	}
}

func TestNamesAreValid(t *testing.T) {
	reader := newReader(t)
	for url, want := range map[string]string{
		"https://v.vault.azure.net/secrets/-a-":                "a",
		"https://v.vault.azure.net/secrets/-":                  "certificate",
		"https://localhost:8443/secrets/A":                     "a",
		"https://v/secrets/" + strings.Repeat("a", 127):        strings.Repeat("a", 127),
		"https://v/secrets/a/0123456789ABCDEF0123456789abcdef": "a-01234567",
	} {
		file, err := reader.Read("a", []byte(settingsOf(url)))
		if err != nil {
			t.Fatal(err)
		}
		if got := file.Certificates[0].Name; got != want {
			t.Errorf("%s gets the name %q, want %q", url, got, want)
		}
	}
}
