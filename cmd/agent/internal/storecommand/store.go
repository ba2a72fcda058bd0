// Package storecommand is `vaultpane-agent store`: it shows and verifies the machine's stores, without a cluster and without Key
// Vault.
package storecommand

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/cmd/agent/internal/stores"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

const storeUsage = `Reads the machine's certificate stores, without a cluster and without Key Vault. Nothing is changed.

Usage:
  vaultpane-agent store list [--json] [--all]   list what Vaultpane installed, and what else is in MY
  vaultpane-agent store verify [--json]         verify what Vaultpane installed, and say what to do

store verify prints one line per finding, the worst first, and then the result. A failure means that a certificate does not work
or its key is not safe. A warning is often a mistake, and can be intended. A note is for information. Certificates that Vaultpane
did not install are not verified. Run it as the account that runs the agent, or as an administrator: other accounts cannot open
the keys.

Exit codes:
  0  store list succeeded; store verify found no failure
  1  store verify found a failure
  2  the stores could not be read, or the command line is wrong
  3  store verify found no certificate of Vaultpane on this machine

Flags:
`

// Exit codes beside 0, as storeUsage lists them.
const (
	exitFailed   = cli.ExitStatus(1)
	exitUnusable = 2
	exitNothing  = cli.ExitStatus(3)
)

// Run prints what the machine's stores hold, or what is wrong with it. Its error is a cli.ExitStatus after everything was printed,
// or a cli.Failure.
func Run(arguments []string, out io.Writer, now time.Time) error {
	flags := pflag.NewFlagSet("vaultpane-agent store", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.SetOutput(out)
	var o stores.Options
	o.AddTo(flags)
	readStoreVariables(flags, os.LookupEnv)
	asJSON := flags.Bool("json", false, "print JSON")
	all := flags.Bool("all", false, "list every certificate of every store")
	flags.Usage = func() { _, _ = fmt.Fprint(out, storeUsage, flags.FlagUsagesWrapped(120)) }
	err := flags.Parse(arguments)
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	if err != nil {
		return &cli.Failure{Code: exitUnusable, Err: err}
	}
	command := strings.Join(flags.Args(), " ")
	switch {
	case command == "list":
		err = list(o, *all, *asJSON, out)
	case command == "verify" && !*all:
		err = verify(o, *asJSON, out, now)
	default:
		err = errors.New("usage: vaultpane-agent store list [--json] [--all], or store verify [--json]; --help explains them")
	}
	var printed cli.ExitStatus
	if err != nil && !errors.As(err, &printed) {
		return &cli.Failure{Code: exitUnusable, Err: err}
	}
	return err
}

// readStoreVariables reads the environment variables of the store's flags, which the flags override.
func readStoreVariables(flags *pflag.FlagSet, lookup cli.Lookup) {
	for _, name := range []string{"store", "store-path"} {
		flag, variable := flags.Lookup(name), cli.Variable(name)
		flag.Usage += " [" + variable + "]"
		flag.DefValue = lookup.Or(variable, flag.DefValue)
		_ = flag.Value.Set(flag.DefValue) // a text accepts any value
	}
}

func list(o stores.Options, all, asJSON bool, out io.Writer) error {
	opened, err := o.Open()
	if err != nil {
		return err
	}
	listing, err := inspect(opened.Store, opened.Machine, all)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(listing.Certificates, out)
	}
	return printTable(listing, out)
}

func verify(o stores.Options, asJSON bool, out io.Writer, now time.Time) error {
	opened, err := o.Open()
	if err != nil {
		return err
	}
	result, err := verifyStore(opened.Store, now)
	if err != nil {
		return err
	}
	printFindings := printFindings
	if asJSON {
		printFindings = func(result verification, out io.Writer) error { return printJSON(result, out) }
	}
	if err := printFindings(result, out); err != nil {
		return err
	}
	switch {
	case !result.Passed:
		return exitFailed
	case result.Certificates == 0:
		return exitNothing
	}
	return nil
}

func printJSON(value any, out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// printTable prints one line for each certificate. The columns about links and bindings appear only where a certificate has any.
func printTable(listing listing, out io.Writer) error {
	columns := []string{"STORE", "THUMBPRINT", "SUBJECT", "ROLE", "KEY", "EXPIRES", "OBSERVEDCERTIFICATE", "VERSION"}
	linked := slices.ContainsFunc(listing.Certificates, func(c storedCertificate) bool { return c.Successor != "" })
	used := slices.ContainsFunc(listing.Certificates, func(c storedCertificate) bool { return len(c.UsedBy) > 0 })
	if linked {
		columns = append(columns, "RENEWED BY")
	}
	if used {
		columns = append(columns, "USED BY")
	}
	rows := [][]string{columns}
	for _, c := range listing.Certificates {
		row := []string{c.Store, c.Thumbprint, c.Subject, c.Role, c.Key, c.NotAfter.Format(time.RFC3339), ownerOf(c), c.Version}
		if linked {
			row = append(row, c.Successor)
		}
		if used {
			row = append(row, strings.Join(c.UsedBy, ", "))
		}
		rows = append(rows, row)
	}
	if err := printColumns(rows, out); err != nil {
		return err
	}
	if listing.Unbound != nil {
		if _, err := fmt.Fprintf(out, "Cannot find out what uses them: %v\n", listing.Unbound); err != nil {
			return err
		}
	}
	return nil
}

func ownerOf(c storedCertificate) string {
	switch {
	case c.UnknownMark:
		return "(unknown mark)"
	case c.MarkLost:
		return "(mark lost)"
	case c.Owner == "":
		return "(not managed)"
	}
	return c.Owner
}

func printFindings(result verification, out io.Writer) error {
	var rows [][]string
	for _, f := range result.Findings {
		rows = append(rows, []string{f.Severity, f.Store, f.Thumbprint, f.Owner, f.Message + "; " + f.Remedy})
	}
	if err := printColumns(rows, out); err != nil {
		return err
	}
	verdict := "PASS"
	switch {
	case !result.Passed:
		verdict = "FAIL"
	case result.Certificates == 0:
		_, err := fmt.Fprintln(out, "store verify: NOTHING the stores of this machine have no certificate of Vaultpane; check that this is the node and account on which the agent runs, and --store and --store-path")
		return err
	}
	_, err := fmt.Fprintf(out, "store verify: %s %s, %s, %s, %s\n", verdict, count(result.Certificates, "certificate"),
		count(result.Failures, "failure"), count(result.Warnings, "warning"), count(result.Notes, "note"))
	return err
}

// printColumns prints a table. An empty cell is printed as a dash, so that every line has the same fields.
func printColumns(rows [][]string, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if cell == "" {
				row[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t")) // Flush returns the error
	}
	return table.Flush()
}

func count(number int, what string) string {
	if number == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", number, what)
}
