package arm

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// scopeFor has parameters, variables and functions for expressions.
const scopeFor = `{
  "parameters": {
    "vault": {"type": "string", "defaultValue": "contoso-kv"}, "names": {"type": "array", "defaultValue": ["a", "b", "c"]},
    "none": {"type": "string"}, "password": {"type": "secureString", "defaultValue": "x"}, "maybe": {"type": "string", "nullable": true},
    "object": {"type": "object", "defaultValue": {"Store": "MY", "inner": {"n": 7}}}, "on": {"type": "bool", "defaultValue": true}
  },
  "variables": {
    "url": "[concat('https://', parameters('vault'), '.vault.azure.net')]", "circle": "[variables('circle')]",
    "copy": [{"name": "numbered", "count": 3, "input": "[concat('n', copyIndex('numbered', 1))]"}]
  },
  "functions": [{"namespace": "my", "members": {"twice": {"parameters": [{"name": "x", "type": "string"}], "output": {"type": "string", "value": "[concat(parameters('x'), parameters('x'))]"}}}}],
  "resources": {"kv": {"existing": true, "type": "Microsoft.KeyVault/vaults", "name": "shop"}}
}`

func evaluated(t *testing.T, expression string) *document.Node {
	t.Helper()
	nodes, problems := document.Parse([]byte(scopeFor))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w := &world{left: most, linked: func(string) *Template { return nil }, result: &Result{}, active: map[*document.Node]bool{}}
	return newScope(w, "t.json", nodes[0], nil).tree(document.NewString(expression, 1))
}

func TestExpressions(t *testing.T) {
	for expression, want := range map[string]string{
		`plain`: `"plain"`, `[[escaped]`: `"[escaped]"`, `[]`: `"[]"`,
		`[parameters('vault')]`: `"contoso-kv"`, `[PARAMETERS('VAULT')]`: `"contoso-kv"`, `[ variables( 'url' ) ]`: `"https://contoso-kv.vault.azure.net"`,
		`[variables('numbered')]`: `["n1","n2","n3"]`, `[parameters('maybe')]`: `null`, `['it''s']`: `"it's"`,
		`[parameters('object').store]`: `"MY"`, `[parameters('object')['inner'].n]`: `7`, `[parameters('names')[1]]`: `"b"`,
		`[parameters('object').?nothing]`: `null`, `[tryGet(parameters('object'), 'inner', 'n')]`: `7`, `[tryGet(parameters('object'), 'x', 'n')]`: `null`,
		`[coalesce(null(), parameters('object').?x, 'last')]`: `"last"`,
		`[concat('a', 1, true())]`:                            `"a1True"`, `[concat(createArray('a'), createArray('b'))]`: `["a","b"]`,
		`[format('{0}-{1:D3}-{{x}}', 'a', 7)]`: `"a-007-{x}"`, `[uri('https://h', 'secrets/a')]`: `"https://h/secrets/a"`, `[uri('https://h/x/', 'a')]`: `"https://h/x/a"`,
		`[string(7)]`: `"7"`, `[string(createObject('b', 1, 'a', 2))]`: `"{\"a\":2,\"b\":1}"`, `[int('42')]`: `42`, `[bool('True')]`: `true`,
		`[json('{"a": [1, "x"]}').a[1]]`: `"x"`, `[json('null')]`: `null`, `[base64ToString(base64('x y'))]`: `"x y"`,
		`[toLower('AbC')]`: `"abc"`, `[toUpper('a')]`: `"A"`, `[trim('  a ')]`: `"a"`, `[replace('a-b-c', '-', '')]`: `"abc"`,
		`[split('a,b;c', createArray(',', ';'))]`: `["a","b","c"]`, `[join(parameters('names'), '/')]`: `"a/b/c"`,
		`[substring('abcdef', 2, 3)]`: `"cde"`, `[substring('abc', 1)]`: `"bc"`, `[padLeft(7, 3, '0')]`: `"007"`,
		`[startsWith('Abc', 'aB')]`: `true`, `[endsWith('abc', 'x')]`: `false`, `[indexOf('abc', 'C')]`: `2`, `[lastIndexOf('aba', 'a')]`: `2`,
		`[length(parameters('names'))]`: `3`, `[length('abcd')]`: `4`, `[empty('')]`: `true`, `[empty(createArray())]`: `true`, `[empty(null())]`: `true`, `[not(empty(parameters('names')))]`: `true`,
		`[first(parameters('names'))]`: `"a"`, `[last('xyz')]`: `"z"`, `[skip(parameters('names'), 1)]`: `["b","c"]`, `[take('abc', 2)]`: `"ab"`,
		`[contains(parameters('names'), 'b')]`: `true`, `[contains(parameters('object'), 'STORE')]`: `true`, `[contains('abc', 'bc')]`: `true`,
		`[range(2, 3)]`: `[2,3,4]`, `[flatten(createArray(createArray(1), createArray(2, 3)))]`: `[1,2,3]`,
		`[union(parameters('names'), createArray('b', 'd'))]`: `["a","b","c","d"]`, `[union(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2)))]`: `{"a":{"x":1,"y":2}}`,
		`[intersection(parameters('names'), createArray('c', 'a'))]`: `["a","c"]`, `[shallowMerge(createArray(createObject('a', 1), createObject('a', 2)))]`: `{"a":2}`,
		`[objectKeys(createObject('b', 1, 'a', 2))]`: `["a","b"]`, `[items(createObject('k', 'v'))]`: `[{"key":"k","value":"v"}]`,
		`[equals('a', 'A')]`: `false`, `[equals(createArray(1), createArray(1))]`: `true`, `[if(parameters('on'), 'yes', parameters('none'))]`: `"yes"`,
		`[and(true(), greater(3, 2), lessOrEquals(2, 2))]`: `true`, `[or(false(), less('a', 'b'))]`: `true`, `[and(false(), equals(parameters('none'), 'x'))]`: `false`,
		`[sort(createArray(3, 1, 2), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]`: `[1,2,3]`, `[indexFromEnd(parameters('names'), 1)]`: `"c"`,
		`[mapValues(createObject('k', 1), lambda('v', add(lambdaVariables('v'), 1)))]`:                 `{"k":2}`,
		`[groupBy(parameters('names'), lambda('n', if(equals(lambdaVariables('n'), 'b'), 'x', 'y')))]`: `{"x":["b"],"y":["a","c"]}`,
		`[resourceInfo('kv').name]`: `"shop"`, `[extensionResourceId(subscription().id, 'Microsoft.KeyVault/vaults', 'shop')]`: `"/providers/Microsoft.KeyVault/vaults/shop"`,
		`[add(1, mul(2, 3))]`: `7`, `[sub(1, div(7, 2))]`: `-2`, `[mod(7, 4)]`: `3`, `[min(3, 1, 2)]`: `1`, `[max(createArray(3, 9))]`: `9`,
		`[map(parameters('names'), lambda('n', concat(lambdaVariables('n'), '!')))]`: `["a!","b!","c!"]`, `[filter(parameters('names'), lambda('n', not(equals(lambdaVariables('n'), 'b'))))]`: `["a","c"]`,
		`[reduce(range(1, 4), 0, lambda('sum', 'n', add(lambdaVariables('sum'), lambdaVariables('n'))))]`: `10`, `[toObject(parameters('names'), lambda('n', lambdaVariables('n')), lambda('n', 1))]`: `{"a":1,"b":1,"c":1}`,
		`[my.twice('ab')]`: `"abab"`, `[environment().suffixes.keyvaultDns]`: `".vault.azure.net"`,
		`[last(split(resourceId('rg', 'Microsoft.KeyVault/vaults', 'kv'), '/'))]`: `"kv"`, `[resourceId('Microsoft.Compute/virtualMachines/extensions', 'vm', 'x')]`: `"/providers/Microsoft.Compute/virtualMachines/vm/extensions/x"`,
		`[reference(resourceId('Microsoft.KeyVault/vaults', 'kv'), '2023-01-01').vaultUri]`: `"https://kv.vault.azure.net/"`, `[reference('kv').vaultUri]`: `"https://shop.vault.azure.net/"`,
		`[reference(resourceId('Microsoft.KeyVault/vaults/secrets', 'kv', 's')).secretUri]`: `"https://kv.vault.azure.net/secrets/s"`,
	} {
		got := evaluated(t, expression)
		if got.Kind == document.Unresolved || jsonOf(got) != want {
			t.Errorf("%s is %s (%s), want %s", expression, jsonOf(got), got.Text, want)
		}
	}
}

// TestWhatIsNotKnownSaysWhy: nothing is invented.
func TestWhatIsNotKnownSaysWhy(t *testing.T) {
	for expression, want := range map[string]string{
		`[parameters('none')]`:                      "the parameter none has no value",
		`[parameters('missing')]`:                   "the parameter missing is not declared",
		`[parameters('password')]`:                  "is a secret",
		`[concat('a', parameters('none'), 'b')]`:    "the parameter none has no value",
		`[if(equals(parameters('none'), 1), 1, 2)]`: "the parameter none has no value",
		`[variables('circle')]`:                     "is defined by itself",
		`[uniqueString(resourceGroup().id)]`:        "known to Azure alone",
		`[subscription().subscriptionId]`:           "the subscription is known to Azure alone",
		`[reference('other').clientId]`:             "known to Azure alone",
		`[reference(resourceId('Microsoft.KeyVault/vaults/secrets', 'kv', 's')).secretUriWithVersion]`: "known to Azure alone",
		`[listKeys('x', '2020')]`:              "known to Azure alone",
		`[frobnicate(1)]`:                      "the function frobnicate() is not evaluated here",
		`[concat('a'`:                          "",
		`[concat('a'))]`:                       "is not valid",
		`[concat('a]`:                          "is not valid",
		`[a.]`:                                 "is not valid",
		`[parameters('object').nothing]`:       "has no property",
		`[parameters('names')[9]]`:             "has no element 9",
		`[div(1, 0)]`:                          "divided by zero",
		`[range(0, 100000)]`:                   "is not possible",
		`[int('x')]`:                           "no whole number",
		`[copyIndex()]`:                        "outside of its loop",
		`[createArray(parameters('none'))[0]]`: "the parameter none has no value",
		`[union(createArray(parameters('none')))[0]]`: "the parameter none has no value",
		`[concat('', replace(padLeft('', 1000, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), 'a', padLeft('', 1000)))]`: "longer than 1 MiB",
		"[" + strings.Repeat("concat(", 200) + "'a'" + strings.Repeat(")", 200) + "]":                                                                      "nested too deeply",
	} {
		got := evaluated(t, expression)
		if want == "" { // no closing bracket: it is text
			if got.Kind != document.String {
				t.Errorf("%s is %s, want the text itself", expression, got.Kind)
			}
			continue
		}
		if got.Kind != document.Unresolved || !strings.Contains(got.Text, want) {
			t.Errorf("%s is %s (%s), want the reason %q", expression, got.Kind, got.Text, want)
		}
	}
}
