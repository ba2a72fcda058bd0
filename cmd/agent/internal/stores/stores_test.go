package stores

import (
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/pflag"
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
			var o Options
			flags := pflag.NewFlagSet("", pflag.ContinueOnError)
			o.AddTo(flags)
			if err := flags.Parse(test.arguments); err != nil {
				t.Fatal(err)
			}
			err := o.Check()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
}
