package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines returns each value's path with its line and text, to compare whole trees.
func lines(path string, node *Node) map[string]string {
	all := map[string]string{path: strings.TrimSpace(strings.Repeat("|", node.Line) + " " + node.Text)}
	add := func(path string, node *Node) {
		for path, text := range lines(path, node) {
			all[path] = text
		}
	}
	for i, item := range node.Items {
		add(path+"["+string(rune('0'+i))+"]", item)
	}
	for _, member := range node.Members {
		add(path+"."+member.Key, member.Node)
	}
	return all
}

func TestLinesAreThoseOfTheFile(t *testing.T) {
	tests := []struct {
		name, text string
		want       map[string]string
	}{
		{"JSON", "{\n\"a\": [1,\r\n 2, // two\n{\"b\":\n \"c\"}]}", map[string]string{"": "|", ".a": "||", ".a[0]": "|| 1", ".a[1]": "||| 2", ".a[2]": "||||", ".a[2].b": "||||| c"}},
		{"YAML", "# first\na:\n- 1\n- b: c\n", map[string]string{"": "||", ".a": "|||", ".a[0]": "||| 1", ".a[1]": "||||", ".a[1].b": "|||| c"}},
		{"an alias has the lines of its anchor", "a: &x\n  b: c\nd: *x\n", map[string]string{"": "|", ".a": "|", ".a.b": "|| c", ".d": "|", ".d.b": "|| c"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			nodes, problems := Parse([]byte(test.text))
			if len(problems) > 0 || len(nodes) != 1 {
				t.Fatalf("%d documents, %v", len(nodes), problems)
			}
			if diff := cmp.Diff(test.want, lines("", nodes[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStringWithinHasTheLinesOfItsBlock(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"x: 1\ntext: |\n  {\n  \"a\":\n   5}\n": {"": "|||", ".a": "||||| 5"},
		"x: 1\ntext: '{\n  \"a\":\n\n   5}'\n":  {"": "||", ".a": "|| 5"},
	} {
		nodes, problems := Parse([]byte(text))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		inner, problems := nodes[0].Get("text").Embedded()
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if diff := cmp.Diff(want, lines("", inner)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", text, diff)
		}
	}
}

func TestValuesAreThoseOfJSON(t *testing.T) {
	want := map[string]any{
		"int": int64(3600), "negative": int64(-1), "exponent": int64(3600), "fraction": 60.5, "large": 1e30,
		"text": "a\tb", "yes": true, "no": false, "none": nil, "list": []any{int64(1), "1"}, "map": map[string]any{},
	}
	for _, text := range []string{
		`{"int": 3600, "negative": -1, "exponent": 3.6e3, "fraction": 60.5, "large": 1e30, "text": "a\tb", "yes": true, "no": false, "none": null, "list": [1, "1"], "map": {}}`,
		"int: 0xE10\nnegative: -1\nexponent: 3.6e3\nfraction: 60.5\nlarge: 1e30\ntext: \"a\\tb\"\nyes: true\nno: False\nnone: ~\nlist: [1, '1']\nmap: {}\n",
	} {
		nodes, problems := Parse([]byte(text))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if diff := cmp.Diff(want, nodes[0].Any()); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", text, diff)
		}
	}
	nodes, _ := Parse([]byte("- .inf\n- .nan\n- 2026-01-01\n- !x y\n- yes\n- 1e999\n"))
	if diff := cmp.Diff([]any{".inf", ".nan", "2026-01-01", "y", "yes", "1e999"}, nodes[0].Any()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestShownHidesWhatMayBeSecret(t *testing.T) {
	for text, want := range map[string]string{
		"a \"b\"":                             `"a \"b\""`,
		"https://me:secret@host/a?sig=secret": `"https://…@host/a?…"`,
		"-----BEGIN PRIVATE KEY-----":         "",
		"password: secret\nuser: me":          "",
		"one line\n":                          `"one line\n"`,
		strings.Repeat("ü", 81):               `"` + strings.Repeat("ü", 80) + `…"`,
		strings.Repeat("ü", 80):               `"` + strings.Repeat("ü", 80) + `"`,
	} {
		if got := Shown(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestDepthCountsBracketsOutsideStringsAndComments(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth)
	for text, want := range map[string]int{
		deep:                    -1,
		deep + "[":              MaxDepth,
		deep + `"[\"["`:         -1,
		deep + "/*[[*/":         -1,
		deep + "//[\n[":         MaxDepth + 4,
		deep + "]" + "[":        -1,
		"/* \" */" + deep + "[": len("/* \" */") + MaxDepth,
		"// \"\n" + deep + "[":  len("// \"\n") + MaxDepth,
		`"` + deep + "[":        -1,
		"/*" + deep + "[":       -1,
		"/" + deep + "[":        1 + MaxDepth,
	} {
		if got := deepest([]byte(text)); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}
