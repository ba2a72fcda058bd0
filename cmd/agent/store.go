package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/controllers/agent/process"
)

// runStore prints what the machine's stores hold, without a cluster.
func runStore(arguments []string, out io.Writer) error {
	flags := pflag.NewFlagSet("vaultpane-agent store", pflag.ContinueOnError)
	path := flags.String("store-path", first(os.LookupEnv, variable("store-path"), process.DefaultStorePath), process.StorePathUsage)
	asJSON := flags.Bool("json", false, "print JSON")
	all := flags.Bool("all", false, "print every certificate of every store, not only Vaultpane's and those in MY")
	err := flags.Parse(arguments)
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if command := flags.Args(); len(command) != 1 || command[0] != "list" {
		return errors.New("usage: vaultpane-agent store list [--json] [--all]")
	}
	certificates, err := process.Inspect(*path, *all)
	if err != nil {
		return err
	}
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(certificates)
	}
	return printTable(certificates, out)
}

func printTable(certificates []process.StoredCertificate, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "STORE\tTHUMBPRINT\tSUBJECT\tEXPIRES\tKEY\tOBSERVEDCERTIFICATE\tVERSION")
	for _, c := range certificates {
		owner, version := c.Owner, c.Version
		switch {
		case owner == "":
			owner, version = "(not Vaultpane's)", "-"
		case c.Intermediate:
			owner += " (chain)"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Store, c.Thumbprint, c.Subject, c.NotAfter.Format(time.RFC3339), c.Key, owner, version)
	}
	return table.Flush()
}
