package winetest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Layout has a C compiler compare what this project declares of Windows with Windows' own headers: hack/layout.sh compiles the
// assertions. The program that runs this test has no compiler. headers are included in this order; each expression of C must have the
// value.
func Layout(t *testing.T, headers []string, values map[string]uint64) {
	t.Helper()
	folder := os.Getenv("VAULTPANE_LAYOUTS")
	if folder == "" {
		t.Skip("hack/layout.sh runs it, and compiles what it writes")
	}
	var text strings.Builder
	for _, header := range headers {
		fmt.Fprintf(&text, "#include <%s>\n", header)
	}
	text.WriteString("#include <stddef.h>\n")
	for expression, value := range values {
		fmt.Fprintf(&text, "_Static_assert((unsigned long long)(%s) == %dull, \"%s is not %#x\");\n", expression, value, expression, value)
	}
	if err := os.WriteFile(folder+`\`+strings.ToLower(t.Name())+".c", []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
