package controlplane

import (
	"fmt"
	"strings"
)

// goMod is what counts of a go.mod, as `go mod edit -json` prints it (https://go.dev/ref/mod#go-mod-edit).
type goMod struct {
	Go      string
	GoDebug []struct{ Key, Value string }
	Replace []struct{ Old, New struct{ Path string } }
}

// moduleFile is the go.mod of a module whose only purpose is to build path at version as its own repository does. The
// main module alone decides on replacements and GODEBUG defaults, so both are carried over: a staging folder becomes the
// module that it is published as.
func moduleFile(upstream goMod, path, version string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "module vaultpane.dev/controlplane\n\ngo %s\n\n", upstream.Go)
	for _, setting := range upstream.GoDebug {
		fmt.Fprintf(&text, "godebug %s=%s\n", setting.Key, setting.Value)
	}
	fmt.Fprintf(&text, "require %s %s\n", path, version)
	staging := stagingVersion(version)
	for _, replace := range upstream.Replace {
		if strings.HasPrefix(replace.New.Path, "./staging/") {
			fmt.Fprintf(&text, "replace %[1]s => %[1]s %s\n", replace.Old.Path, staging)
		}
	}
	return text.String()
}
