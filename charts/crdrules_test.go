package charts_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// ruleTree has the rules of a value and of what is below it, in the shape of its schema. The bounds of sizes are in
// values.schema.json too, which does not see them in settings of the extension that are a string.
type ruleTree struct {
	MaxLength            *int64               `json:"maxLength,omitempty"`
	MaxItems             *int64               `json:"maxItems,omitempty"`
	Rules                []rule               `json:"rules,omitempty"`
	Items                *ruleTree            `json:"items,omitempty"`
	AdditionalProperties *ruleTree            `json:"additionalProperties,omitempty"`
	Properties           map[string]*ruleTree `json:"properties,omitempty"`
}

// rule holds if one of its terms does.
type rule struct {
	// Field is the field that the message is about, if it is not the value itself.
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Any     []term `json:"any"`
}

// term is one condition on a value, or on its field Of.
type term struct {
	Of      string `json:"of,omitempty"`
	Matches string `json:"matches,omitempty"`
	Not     string `json:"not,omitempty"`
	AtLeast *int64 `json:"atLeast,omitempty"`
	AtMost  *int64 `json:"atMost,omitempty"`
	Empty   *bool  `json:"empty,omitempty"`
}

// onlyTheAPIServer are the beginnings of the rules that the chart does not check: sums and fields of lists, the keys of maps, times,
// numbers of fields, and what certificateDefaults may leave to each certificate.
var onlyTheAPIServer = []string{
	"self.map(", "self.all(", "!has(self.matchExpressions) ||", "duration(self)", "(has(", "has(self.url) ||", "!has(self.appId) ||", "self.certificateStoreName.lowerAscii() == 'my' ||",
}

// TestTheRulesAreTheCRDs translates the CRD's rules from CEL into regular expressions and bounds, which a template can check, and
// compares them with files/rules.yaml, or writes it.
func TestTheRulesAreTheCRDs(t *testing.T) {
	tree, err := translateSchema(observedCertificateSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	compareFile(t, filepath.Join(chart, "files", "rules.yaml"), "# The CRD's rules for the fields of a certificate, written by make generate for the template vaultpane.rules.\n"+string(text))
}

func translateSchema(from apiextensionsv1.JSONSchemaProps) (*ruleTree, error) {
	to := &ruleTree{MaxLength: from.MaxLength, MaxItems: from.MaxItems}
	for _, validation := range from.XValidations {
		rules, err := translate(validation)
		if err != nil {
			return nil, err
		}
		to.Rules = append(to.Rules, rules...)
	}
	below := func(schema apiextensionsv1.JSONSchemaProps, set func(*ruleTree)) error {
		tree, err := translateSchema(schema)
		if err == nil && !reflect.DeepEqual(tree, &ruleTree{}) {
			set(tree)
		}
		return err
	}
	if from.Items != nil {
		if err := below(*from.Items.Schema, func(tree *ruleTree) { to.Items = tree }); err != nil {
			return nil, err
		}
	}
	if from.AdditionalProperties != nil {
		if err := below(*from.AdditionalProperties.Schema, func(tree *ruleTree) { to.AdditionalProperties = tree }); err != nil {
			return nil, err
		}
	}
	for name, field := range from.Properties {
		err := below(field, func(tree *ruleTree) {
			if to.Properties == nil {
				to.Properties = map[string]*ruleTree{}
			}
			to.Properties[name] = tree
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return to, nil
}

// translate makes a rule of each part between "&&", since all of them must hold.
func translate(from apiextensionsv1.ValidationRule) ([]rule, error) {
	if slices.ContainsFunc(onlyTheAPIServer, func(begin string) bool { return strings.HasPrefix(from.Rule, begin) }) {
		return nil, nil
	}
	var rules []rule
	for _, all := range splitRule(from.Rule, " && ") {
		to := rule{Field: strings.TrimPrefix(from.FieldPath, "."), Message: from.Message}
		for _, one := range splitRule(all, " || ") {
			translated, ok := translateTerm(one)
			if !ok {
				return nil, fmt.Errorf("the term %s of the rule %s cannot be translated: add its form to translateTerm, or its beginning to onlyTheAPIServer", one, from.Rule)
			}
			if !slices.ContainsFunc(to.Any, func(other term) bool { return reflect.DeepEqual(other, translated) }) {
				to.Any = append(to.Any, translated)
			}
		}
		rules = append(rules, to)
	}
	return rules, nil
}

// splitRule splits an expression where the operator is neither in parentheses nor in a string.
func splitRule(expression, operator string) []string {
	var parts []string
	depth, begin, quoted := 0, 0, false
	for i := range len(expression) {
		switch {
		case expression[i] == '\'' && (i == 0 || expression[i-1] != '\\'):
			quoted = !quoted
		case quoted:
		case expression[i] == '(':
			depth++
		case expression[i] == ')':
			depth--
		case depth == 0 && strings.HasPrefix(expression[i:], operator):
			parts = append(parts, expression[begin:i])
			begin = i + len(operator)
		}
	}
	return append(parts, expression[begin:])
}

var (
	textTerm    = regexp.MustCompile(`^(!?)self(?:\.([A-Za-z]+))?\.(matches|startsWith|endsWith|contains)\('(.*)'\)$`)
	boundTerm   = regexp.MustCompile(`^self (>=|<=) ([0-9]+)$`)
	unequalTerm = regexp.MustCompile(`^self(?:\.([A-Za-z]+)\.lowerAscii\(\))? != '([^']*)'$`)
	notInTerm   = regexp.MustCompile(`^!\(self(?:\.([A-Za-z]+?))?(\.lowerAscii\(\))? in \[(.*)\]\)$`)
	emptyTerm   = regexp.MustCompile(`^(?:!has\(self\.([A-Za-z]+)\)|!self\.([A-Za-z]+)|size\(self\.([A-Za-z]+)\) == 0)$`)
	presentTerm = regexp.MustCompile(`^\(has\(self\.([A-Za-z]+)\) && size\(self\.[A-Za-z]+\) > 0\)$`)
)

// translateTerm knows the forms of terms that the CRD uses. CEL and templates have the same regular expressions, RE2.
func translateTerm(from string) (term, bool) {
	yes, no := true, false
	if found := textTerm.FindStringSubmatch(from); found != nil {
		argument := strings.ReplaceAll(found[4], `\\`, `\`)
		pattern := map[string]string{"matches": argument, "startsWith": "^" + regexp.QuoteMeta(argument), "endsWith": regexp.QuoteMeta(argument) + "$", "contains": regexp.QuoteMeta(argument)}[found[3]]
		if found[1] == "!" {
			return term{Of: found[2], Not: pattern}, true
		}
		return term{Of: found[2], Matches: pattern}, true
	}
	if found := boundTerm.FindStringSubmatch(from); found != nil {
		bound, err := strconv.ParseInt(found[2], 10, 64)
		if found[1] == ">=" {
			return term{AtLeast: &bound}, err == nil
		}
		return term{AtMost: &bound}, err == nil
	}
	if found := unequalTerm.FindStringSubmatch(from); found != nil {
		return term{Of: found[1], Not: "(?i)^" + regexp.QuoteMeta(found[2]) + "$"}, true
	}
	if found := notInTerm.FindStringSubmatch(from); found != nil {
		pattern := "^(" + strings.NewReplacer("'", "", ", ", "|").Replace(found[3]) + ")$"
		if found[2] != "" {
			pattern = "(?i)" + pattern
		}
		return term{Of: found[1], Not: pattern}, true
	}
	if found := emptyTerm.FindStringSubmatch(from); found != nil {
		return term{Of: found[1] + found[2] + found[3], Empty: &yes}, true
	}
	if found := presentTerm.FindStringSubmatch(from); found != nil {
		return term{Of: found[1], Empty: &no}, true
	}
	return term{}, false
}
