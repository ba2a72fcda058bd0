package thumbprint

import (
	"bytes"
	"strings"
	"testing"
)

const some = "0123456789ABCDEF0123456789ABCDEF01234567"

func TestBytesAndText(t *testing.T) {
	for _, text := range []string{some, strings.ToLower(some)} {
		hash, err := Bytes(text)
		if err != nil || len(hash) != Size || Text(hash) != some {
			t.Errorf("%s: got %x (%v)", text, hash, err)
		}
	}
	for _, length := range []int{0, 19, 21, 32} {
		if got := Text(bytes.Repeat([]byte{1}, length)); got != "" {
			t.Errorf("%d bytes are %q", length, got)
		}
	}
}

func TestBytesRefusesEverythingElse(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":           "",
		"a digit less":      some[1:],
		"a digit more":      some + "0",
		"a line's end":      some + "\n",
		"spaces":            "01 23 45 67 89 AB CD EF 01 23 45 67 89 AB CD EF 01 23 45 67",
		"a letter":          "G" + some[1:],
		"a quote":           "'" + some[1:],
		"full-width digits": strings.Repeat("\uFF10", 40),
	} {
		if hash, err := Bytes(text); err == nil {
			t.Errorf("%s: got %x", name, hash)
		}
	}
}

func TestClean(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"as SQL Server's tools write it":     {strings.ToLower(some), some},
		"as Windows' dialog shows it":        {"\u200e01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67", some},
		"with the end of a registry's value": {some + "\x00", some},
		"nothing":                            {"", ""},
		"what is no thumbprint":              {"none of ours", "NONEOFOURS"},
	} {
		if got := Clean(test.text); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestUnchanged(t *testing.T) {
	if err := Unchanged(some, some); err != nil {
		t.Error(err)
	}
	err := Unchanged(some, "")
	if want := "it has the certificate " + some + " now, and had no certificate when it was read: another program has changed it, and nothing was written"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
