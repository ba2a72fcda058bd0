package keyvault

import (
	"strings"
	"testing"
)

func TestOneLineMakesForeignTextFitForAStatus(t *testing.T) {
	if got := oneLine("  AADSTS7000215: Invalid client secret.\r\nTrace ID: 1\n"); got != "AADSTS7000215: Invalid client secret" {
		t.Errorf("got %q", got)
	}
	if got := oneLine("a\x1b[31mb\x7f"); got != "a[31mb" {
		t.Errorf("got %q, want no control characters", got)
	}
	if got := oneLine(strings.Repeat("ä", 400)); len(got) > 310 || !strings.HasSuffix(got, "…") {
		t.Errorf("got %d bytes, want at most about 300 and an ellipsis", len(got))
	}
}

func TestTheGistSaysWhatIsWrong(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Operation get is not allowed on a disabled secret.", "Operation get is not allowed on a disabled secret"},
		{"A secret with (name/id) word was not found in this key vault. If you recently deleted this secret you may …",
			"A secret with (name/id) word was not found in this key vault"},
		{"AADSTS700213: No record for subject 's'. Check your federated identity credential Subject.", "AADSTS700213: No record for subject 's'"},
		{"The specified version (9) is not recognized. Consider using the latest supported version (7).",
			"The specified version (9) is not recognized. Consider using the latest supported version (7)"},
		{"Caller is not authorized.\r\nFor help ask.", "Caller is not authorized"},
	}
	for _, test := range tests {
		if got := gist(test.text); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
