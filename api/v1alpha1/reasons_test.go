package v1alpha1_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

var update = flag.Bool("update", false, "write docs/errors.md")

const errorsDocument = "../../docs/errors.md"

// TestActionsNameTheChartsValue: who installs by the chart sees no flags.
func TestActionsNameTheChartsValue(t *testing.T) {
	for _, info := range v1alpha1.Reasons {
		if strings.Contains(info.Action, "--") && !strings.Contains(info.Action, "of the chart)") {
			t.Errorf("%s names a flag and no value of the chart: %s", info.Reason, info.Action)
		}
	}
}

func TestErrorsDocument(t *testing.T) {
	want := errorsPage()
	if *update {
		if err := os.WriteFile(errorsDocument, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(errorsDocument)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/errors.md does not show the table of reasons; run make generate")
	}
}

// asMarkdown keeps what a person is to replace, such as <name>, from being taken for HTML, and | from ending a cell.
var asMarkdown = strings.NewReplacer("<", "&lt;", "|", `\|`)

// errorsPage renders the table of reasons for people.
func errorsPage() string {
	page := &strings.Builder{}
	page.WriteString("<!-- Generated from api/v1alpha1/reasons.go by make generate. -->\n# Reasons, and what to do\n\n")
	page.WriteString("Each reason is what `kubectl get nodecert -o yaml`, events and metrics say about a certificate on a node. ")
	page.WriteString("For every reason, an installed certificate stays installed. ")
	page.WriteString("The message of a reason names the vault, the secret, the identity and what to do; ")
	page.WriteString("[azure.md](azure.md#troubleshooting) has the commands.\n\n")
	for _, class := range []struct {
		class v1alpha1.Class
		title string
	}{
		{v1alpha1.ClassTerminal, "The spec must change\n\nNot retried until it does."},
		{v1alpha1.ClassWaiting, "Action outside the spec is required\n\nRetried after 30 s, then at doubling times up to the polling interval."},
		{v1alpha1.ClassTransient, "Usually recovers without action\n\nRetried within seconds, then at doubling random times up to five minutes, and never before the time that the server asked for."},
		{v1alpha1.ClassNone, "No failure"},
	} {
		fmt.Fprintf(page, "## %s\n\n| reason | meaning | what to do |\n|---|---|---|\n", class.title)
		for _, info := range v1alpha1.Reasons {
			if info.Class == class.class {
				fmt.Fprintf(page, "| `%s` | %s | %s |\n", info.Reason, asMarkdown.Replace(info.Meaning), asMarkdown.Replace(info.Action))
			}
		}
		page.WriteString("\n")
	}
	return strings.TrimRight(page.String(), "\n") + "\n"
}

func TestEveryReasonHasOneRowWithMeaningAndAction(t *testing.T) {
	seen := map[v1alpha1.Reason]bool{}
	for _, info := range v1alpha1.Reasons {
		if seen[info.Reason] {
			t.Errorf("%s stands in the table twice", info.Reason)
		}
		seen[info.Reason] = true
		if info.Meaning == "" || (info.Class != v1alpha1.ClassNone && info.Action == "") {
			t.Errorf("%s says too little: meaning %q, action %q", info.Reason, info.Meaning, info.Action)
		}
	}
}

func TestAnUnknownReasonIsAnInternalError(t *testing.T) {
	if got := v1alpha1.Reason("Nonsense").Info().Reason; got != v1alpha1.ReasonInternalError {
		t.Errorf("got %s, want InternalError", got)
	}
	if got := v1alpha1.ReasonThrottled.Class(); got != v1alpha1.ClassTransient {
		t.Errorf("Throttled has class %s, want Transient", got)
	}
}
