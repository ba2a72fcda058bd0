package main

import (
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestTheStoreIsChosenByItsFlag(t *testing.T) {
	supported := "directory"
	if runtime.GOOS == "windows" {
		supported = "directory or windows"
	}
	for name, test := range map[string]struct {
		arguments []string
		want      string // in the error
	}{
		"a kind that does not exist":         {[]string{"--store", "pkcs11"}, `--store is "pkcs11", must be ` + supported + " on this system"},
		"a directory store without a folder": {[]string{"--store", "directory", "--store-path", ""}, "--store-path is empty, must be the folder of the directory store"},
		"a directory store":                  {[]string{"--store", "directory", "--store-path", "/store"}, ""},
		"the default":                        {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			lookup := func(string) (string, bool) { return "", false }
			_, err := parseOptions(append([]string{"--node-name", "node"}, test.arguments...), lookup, io.Discard)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
}

func TestTheStoreCommandNamesAStoreThatThisSystemDoesNotHave(t *testing.T) {
	err := runStore([]string{"list", "--store", "pkcs11"}, io.Discard, now)
	if err == nil || !strings.Contains(err.Error(), `--store is "pkcs11"`) {
		t.Errorf("got error %v", err)
	}
}
