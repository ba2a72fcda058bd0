package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongCallsRequestNothing(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		arguments []string
		want      string
	}{
		{"a misspelt command", []string{"stauts"}, `unknown command "stauts" for "kubectl vaultpane"`},
		{"a name that is empty", []string{"status", ""}, `"" is not the name of an object`},
		{"a name with the path of another object", []string{"suspend", "../../../../api/v1/nodes/one"}, "is not the name of an object"},
		{"a name with a slash, to be polled", []string{"poll", "one/status"}, `"one/status" is not the name of an object`},
		{"a node with a slash", []string{"status", "--node", "a/b"}, `"a/b" is not the name of an object`},
		{"a negative time to wait", []string{"wait", "--all", "--timeout", "-1s"}, "--timeout is -1s, must not be negative"},
		{"a negative time to wait for a poll", []string{"poll", "--all", "--wait", "--timeout", "-1s"}, "--timeout is -1s, must not be negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			requested := &requests{}
			server := httptest.NewServer(requested)
			defer server.Close()
			text, code := execute(t.Context(), &output{}, append(test.arguments, "--kubeconfig", empty, "--server", server.URL)...)
			if code != 2 || !strings.Contains(text, test.want) || len(requested.made) > 0 {
				t.Errorf("exit code %d after the requests %q, and it printed:\n%s", code, requested.made, text)
			}
		})
	}
}
