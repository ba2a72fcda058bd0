package main

import (
	"strings"
	"testing"
)

func TestJudgeSaysWhatIsWrongInTheStore(t *testing.T) {
	newest := holding{Store: "MY", Name: "web", Thumbprint: "B", Works: true}
	previous := holding{Store: "MY", Name: "web", Thumbprint: "A", Works: true}
	tests := []struct {
		name string
		some []holding
		want string
	}{
		{"the newest alone", []holding{newest}, ""},
		{"with the one before", []holding{previous, newest}, ""},
		{"only the one before", []holding{previous}, "not in MY with its newest version"},
		{"in another store", []holding{{Store: "WebHosting", Thumbprint: "B", Works: true}}, "not in MY with its newest version"},
		{"left over in another store", []holding{newest, {Store: "WebHosting", Thumbprint: "B", Works: true}}, "left over in WebHosting"},
		{"without its key", []holding{{Store: "MY", Thumbprint: "B"}}, "without its key"},
		{"the one before without its key", []holding{newest, {Store: "MY", Thumbprint: "A"}}, "without its key"},
		{"three versions", []holding{newest, previous, {Store: "MY", Thumbprint: "C", Works: true}}, "3 versions"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := judge("web", "B", "MY", test.some)
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
