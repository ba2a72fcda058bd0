package services

import (
	"strings"
	"testing"
)

func TestNamesThatAreNoServices(t *testing.T) {
	for name, service := range map[string]string{
		"nothing":         "",
		"a key below":     `w3svc\Parameters`,
		"another key":     `..\..\Policies`,
		"a slash":         "w3svc/x",
		"a line's end":    "w3svc\n",
		"a zero":          "w3svc\x00",
		"a space first":   " w3svc",
		"a space last":    "w3svc ",
		"too long":        strings.Repeat("a", 256),
		"no text":         "w3\xffsvc",
		"a control in it": "w3\x07svc",
	} {
		if err := checkName(service); err == nil {
			t.Errorf("%s: %q is accepted", name, service)
		}
	}
	for _, service := range []string{"w3svc", "MSSQL$SHOP", "a b", "..", "dienst-für", strings.Repeat("ü", 255)} {
		if err := checkName(service); err != nil {
			t.Error(err)
		}
	}
}

func TestOwners(t *testing.T) {
	for _, owner := range []string{"", "a\x00b"} {
		if err := checkOwner(owner); err == nil {
			t.Errorf("%q is accepted", owner)
		}
	}
	if err := checkOwner("web"); err != nil {
		t.Error(err)
	}
}

func TestAccountOf(t *testing.T) {
	for name, want := range map[string]account{
		"LocalSystem":                 {`NT AUTHORITY\SYSTEM`, "S-1-5-18"},
		`NT Authority\NetworkService`: {`NT AUTHORITY\NETWORK SERVICE`, "S-1-5-20"},
		`NT AUTHORITY\LocalService`:   {`NT AUTHORITY\LOCAL SERVICE`, "S-1-5-19"},
		`NT Service\MSSQLSERVER`:      {`NT Service\MSSQLSERVER`, ""},
		`.\sql`:                       {`NODE1\sql`, ""},
		`SHOP\sql$`:                   {`SHOP\sql$`, ""},
	} {
		if got := accountOf(name, "NODE1"); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}
