// Package cli is what Vaultpane's commands share: flags with environment variables, and logging.
package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

const environmentPrefix = "VAULTPANE_"

// Lookup returns an environment variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// Variable is the environment variable of a flag: VAULTPANE_LOG_LEVEL for log-level.
func Variable(flag string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Or returns an environment variable, or the fallback where it is not set or empty.
func (lookup Lookup) Or(name, fallback string) string {
	if value, ok := lookup(name); ok && value != "" {
		return value
	}
	return fallback
}

// Command describes the settings of a command.
type Command struct {
	// Name is the command's name, and Usage the text above the flags in its help.
	Name, Usage string
	// Add adds the flags.
	Add func(*pflag.FlagSet)
	// Chart maps flags to values of the Helm chart, for the help and for errors.
	Chart map[string]string
	// Arguments takes what is not a flag; nil for a command that has only flags.
	Arguments *[]string
}

// InChart adds the chart's value to an error that begins with the name of a flag, for users of the chart.
func (c Command) InChart(err error) error {
	if err == nil {
		return nil
	}
	flag, found := strings.CutPrefix(err.Error(), "--")
	if end := strings.IndexAny(flag, ": "); found && end > 0 && c.Chart[flag[:end]] != "" {
		return fmt.Errorf("%w (in the Helm chart: %s)", err, c.Chart[flag[:end]])
	}
	return err
}

// Read reads flags and, for those not given, their environment variables, and reports whether the version was asked for. It returns
// pflag.ErrHelp after printing the help.
func (c Command) Read(arguments []string, lookup Lookup, help io.Writer) (version bool, err error) {
	flags := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.SetOutput(help)
	c.Add(flags)
	describe(flags)
	c.describeChart(flags)
	// It is not a setting and has no variable: an image may set VAULTPANE_VERSION to its own version.
	flags.BoolVar(&version, "version", false, "print the version and end")
	flags.Usage = func() { _, _ = fmt.Fprint(help, c.Usage, flags.FlagUsagesWrapped(120)) }
	if err := c.parseArguments(flags, arguments); err != nil || version {
		return version, err // the version is printed even if a variable cannot be parsed
	}
	return false, parseVariables(flags, lookup)
}

// describeChart adds the chart's value to the help of a flag.
func (c Command) describeChart(flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		if value := c.Chart[flag.Name]; value != "" {
			flag.Usage += " [chart: " + value + "]"
		}
	})
}

// describe adds the environment variable to the help of each flag. Flags that are added later have none.
func describe(flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		flag.Usage += " [" + Variable(flag.Name) + "]"
		_ = flags.SetAnnotation(flag.Name, environmentPrefix, []string{Variable(flag.Name)}) // it exists
	})
}

func (c Command) parseArguments(flags *pflag.FlagSet, arguments []string) error {
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if c.Arguments != nil {
		*c.Arguments = flags.Args()
		return nil
	}
	if extra := flags.Args(); len(extra) > 0 {
		return fmt.Errorf("unexpected argument %q; %s --help lists the arguments", extra[0], flags.Name())
	}
	return nil
}

// parseVariables reads the environment variables of flags that are not given. An empty variable counts as not set.
func parseVariables(flags *pflag.FlagSet, lookup Lookup) error {
	var failed error
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || failed != nil || len(flag.Annotations[environmentPrefix]) == 0 {
			return
		}
		variable := flag.Annotations[environmentPrefix][0]
		value, set := lookup(variable)
		if !set || value == "" {
			return
		}
		if err := flags.Set(flag.Name, value); err != nil {
			failed = fmt.Errorf("environment variable %s: %w", variable, err)
		}
	})
	return failed
}
