package sqlserver

import (
	"strings"
	"testing"
)

func TestNamesThatAreNoInstances(t *testing.T) {
	for name, instance := range map[string]string{
		"nothing":                "",
		"another key":            `..\MSSQLSERVER`,
		"a key below":            `MSSQLSERVER\MSSQLServer`,
		"a slash":                "MSSQLSERVER/x",
		"a host's instance":      `HOST\SHOP`,
		"a digit first":          "1SHOP",
		"a space":                "SHOP ",
		"a line's end":           "SHOP\n",
		"a zero":                 "SHOP\x00",
		"longer than 16":         strings.Repeat("A", 17),
		"a letter outside ASCII": "SHÖP",
	} {
		if err := checkInstance(instance); err == nil {
			t.Errorf("%s: %q is accepted", name, instance)
		}
	}
	for _, instance := range []string{"MSSQLSERVER", "shop", "_A#$1", strings.Repeat("A", 16)} {
		if err := checkInstance(instance); err != nil {
			t.Error(err)
		}
	}
}

// The id comes from the registry, and becomes part of a path.
func TestNetworkKey(t *testing.T) {
	got, err := networkKey("MSSQL16.MSSQLSERVER")
	if want := `SOFTWARE\Microsoft\Microsoft SQL Server\MSSQL16.MSSQLSERVER\MSSQLServer\SuperSocketNetLib`; err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	for name, id := range map[string]string{
		"nothing": "", "another key": `..\..\Windows`, "a key below": `MSSQL16.X\Setup`, "a zero": "MSSQL16.X\x00", "a slash": "a/b", "long": strings.Repeat("a", 65),
	} {
		if got, err := networkKey(id); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
