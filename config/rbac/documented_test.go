// Package rbac_test compares the rights that are generated here with docs/security.md, so that none appears unexplained.
package rbac_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

func TestEveryRightIsExplained(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	for heading, file := range map[string]string{
		"### Agent":                 filepath.Join("agent", "role.yaml"),
		"### Trust from ConfigMaps": filepath.Join("..", "trust", "trust.yaml"),
		"### Controller":            filepath.Join("controller", "role.yaml"),
	} {
		generated, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(granted(t, string(generated)), explained(t, string(document), heading)); difference != "" {
			t.Errorf("%s (-) and the table below %q of docs/security.md (+) differ:\n%s", file, heading, difference)
		}
	}
}

// granted are the rights of a file of roles, each as "verb resource.group where".
func granted(t *testing.T, file string) []string {
	t.Helper()
	var rights []string
	for text := range strings.SplitSeq(file, "---\n") {
		var role rbacv1.Role // a ClusterRole has the same fields here
		if err := yaml.Unmarshal([]byte(text), &role); err != nil {
			t.Fatal(err)
		}
		where := "cluster"
		if role.Namespace != "" {
			where = "namespace " + role.Namespace
		}
		for _, rule := range role.Rules {
			rights = append(rights, flat(rule, where)...)
		}
	}
	slices.Sort(rights)
	return rights
}

func flat(rule rbacv1.PolicyRule, where string) []string {
	if len(rule.ResourceNames) > 0 {
		where += ", named " + strings.Join(rule.ResourceNames, ", ")
	}
	var rights []string
	for _, verb := range rule.Verbs {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				kind, subresource, _ := strings.Cut(resource, "/")
				name := strings.TrimSuffix(kind+"."+group, ".")
				if subresource != "" {
					name += "/" + subresource
				}
				rights = append(rights, verb+" "+name+" "+where)
			}
		}
	}
	return rights
}

// explained are the rights of the table below a heading, in the same form. Each has a reason.
func explained(t *testing.T, document, heading string) []string {
	t.Helper()
	_, section, found := strings.Cut(document, "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/security.md has no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n#")
	var rights []string
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		if len(cells) != 6 || strings.TrimSpace(cells[4]) == "" {
			t.Errorf("not verb, resource, place and reason: %s", line)
			continue
		}
		for verb := range strings.SplitSeq(cells[1], ",") {
			rights = append(rights, plain(verb)+" "+plain(cells[2])+" "+plain(cells[3]))
		}
	}
	slices.Sort(rights)
	return rights
}

func plain(cell string) string { return strings.Trim(cell, " `") }
