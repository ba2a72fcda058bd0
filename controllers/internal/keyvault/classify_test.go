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
