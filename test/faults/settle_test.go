package main

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestJudgeSaysWhatIsWrongInTheStore(t *testing.T) {
	newest := holding{Store: "MY", Name: "web", Thumbprint: "B", Works: true}
	previous := holding{Store: "MY", Name: "web", Thumbprint: "A", Works: true}
	tests := []struct {
		name    string
		history int32
		some    []holding
		want    string
	}{
		{"the newest alone", 1, []holding{newest}, ""},
		{"with the one before", 1, []holding{previous, newest}, ""},
		{"only the one before", 1, []holding{previous}, "not in MY with its newest version"},
		{"in another store", 1, []holding{{Store: "WebHosting", Thumbprint: "B", Works: true}}, "not in MY with its newest version"},
		{"left over in another store", 1, []holding{newest, {Store: "WebHosting", Thumbprint: "B", Works: true}}, "left over in WebHosting"},
		{"without its key", 1, []holding{{Store: "MY", Thumbprint: "B"}}, "without its key"},
		{"the one before without its key", 1, []holding{newest, {Store: "MY", Thumbprint: "A"}}, "without its key"},
		{"three versions", 1, []holding{newest, previous, {Store: "MY", Thumbprint: "C", Works: true}}, "3 versions"},
		{"with the one before, which may not stay", 0, []holding{previous, newest}, "2 versions"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec := v1alpha1.ObservedCertificateSpec{CertificateStoreName: "MY", RevisionHistoryLimit: &test.history}
			got := judge("web", "B", spec, test.some)
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("judge says %q, want %q", got, test.want)
			}
		})
	}
}

func TestAPieceOfASecretIsFoundWhereverItIs(t *testing.T) {
	secret := strings.Repeat("0123456789abcdef", 4)
	pieces := map[string]bool{}
	addPieces(pieces, secret)
	for text, want := range map[string]int{
		"level=INFO token=" + secret: len("level=INFO token="),
		secret[:piece]:               0,
		secret[:piece-1]:             -1,
		"nothing":                    -1,
	} {
		if got := find(pieces, text); got != want {
			t.Errorf("in %q it was found at %d, want %d", text, got, want)
		}
	}
}

func TestLevelsThatGrowAreNamed(t *testing.T) {
	before := levels{goroutines: 50, files: 20, memory: 60 << 20}
	for want, after := range map[string]levels{
		"":           {goroutines: 55, files: 25, memory: 70 << 20},
		"goroutines": {goroutines: 90, files: 20, memory: 60 << 20},
		"open files": {goroutines: 50, files: 40, memory: 60 << 20},
		"memory":     {goroutines: 50, files: 20, memory: 100 << 20},
	} {
		got := before.grewTo(after, true)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("for %+v it says %q, want %q", after, got, want)
		}
	}
}
