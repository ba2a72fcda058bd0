// Command grafana reads a dashboard strictly, as Grafana's own schema has it: a field or a value that Grafana does not know is
// an error.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if err := check(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "grafana:", err)
		os.Exit(1)
	}
}

func check(files []string) error {
	plugins.RegisterDefaultPlugins() // the options of panels and queries
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // the command line names it
		if err != nil {
			return err
		}
		var read dashboard.Dashboard
		if err := errors.Join(fault(read.UnmarshalJSONStrict(text)), fault(read.Validate())); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// fault is nil for a list of faults without one, which the schema's package returns.
func fault(err error) error {
	if faults, ok := errors.AsType[cog.BuildErrors](err); ok && len(faults) == 0 {
		return nil
	}
	return err
}
