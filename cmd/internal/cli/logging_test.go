package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestForeignTextInTheLogCannotChangeTheTerminal(t *testing.T) {
	const hostile = "a\x1b[31mb\u009bc\u202ed\u2028e\xff"
	for _, format := range []string{"json", "text"} {
		var written bytes.Buffer
		logging := Logging{Format: format}
		logging.logger(&written).WithName("test").WithValues("secret", hostile).Error(errors.New(hostile), "A line", "subject", hostile)
		got := written.String()
		if strings.ContainsAny(strings.TrimSuffix(got, "\n"), "\x1b\u009b\u202e\u2028\n") || !strings.Contains(got, "A line") || strings.Contains(got, `\u001b`) {
			t.Errorf("%s: %q", format, got)
		}
	}
}
