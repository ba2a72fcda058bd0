package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/nodestate"
	"github.com/vaultpane/vaultpane/internal/standalone"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

const pollUsage = `Has an agent without a cluster poll certificates in Key Vault now, and waits for the result.

Usage:
  vaultpane-agent poll [NAME...]     without a name, all certificates

Exit codes:
  0  the certificates were polled, and are as their settings say
  1  one is not, or the agent did not answer within --wait
  2  no agent runs here

Flags:
`

// runPoll requests polls and waits for their results. Its error is a cli.ExitStatus or of exit code 2.
func runPoll(arguments []string, stdout, stderr io.Writer) error {
	var o options
	var names []string
	wait := 30 * time.Second
	command := o.stateCommand("poll", pollUsage, &names, func(flags *pflag.FlagSet) {
		flags.DurationVar(&wait, "wait", wait, "time to wait for the results; 0s for not waiting")
	})
	if _, err := command.Read(arguments, os.LookupEnv, stdout); err != nil {
		return unusable(err)
	}
	before, err := o.look()
	if err == nil && !before.runs {
		err = errors.New("no agent runs here: start it with 'vaultpane-agent run --settings PATH'")
	}
	if err == nil {
		names, err = toPoll(before.state, names)
	}
	if err != nil {
		return unusable(err)
	}
	if len(names) == 0 {
		return nothingToPoll(before.state, stdout)
	}
	asked := time.Now().Truncate(time.Second)
	for _, name := range names {
		if err := (standalone.Requests{Dir: o.State}).Ask(name, asked); err != nil {
			return unusable(fmt.Errorf("requesting a poll: %w; run it as the agent's account, or as an administrator", err))
		}
	}
	if wait <= 0 {
		_, err := fmt.Fprintf(stdout, "poll: requested for %s\n", truncate.List(names))
		return err
	}
	return o.awaitPolls(names, asked, wait, stdout)
}

// toPoll returns the certificates to poll: those that are named, or all. A name that the agent does not know is an error.
func toPoll(state *v1alpha1.NodeCertificateState, names []string) ([]string, error) {
	var known []string
	suspended := map[string]bool{}
	for _, entry := range state.Certificates {
		known = append(known, entry.Name)
		suspended[entry.Name] = entry.State == v1alpha1.StateSuspended
	}
	for _, name := range standalone.Unprocessed(state) {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	if len(names) == 0 {
		return slices.DeleteFunc(known, func(name string) bool { return suspended[name] }), nil
	}
	for _, name := range names {
		if suspended[name] {
			return nil, fmt.Errorf("the certificate %q is suspended, and is not polled: remove suspend from its settings", name)
		}
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no certificate %q here; there are: %s", name, truncate.List(known))
		}
	}
	return names, nil
}

// nothingToPoll says why there is no certificate.
func nothingToPoll(state *v1alpha1.NodeCertificateState, stdout io.Writer) error {
	problems := standalone.SettingsProblems(state)
	_, err := fmt.Fprintln(stdout, strings.Join(append([]string{"poll: there is no certificate to poll"}, problems...), "\n"))
	if err == nil && len(problems) > 0 {
		return cli.ExitStatus(exitNotWell)
	}
	return err
}

// awaitPolls prints the result of each poll as it comes.
func (o *options) awaitPolls(names []string, asked time.Time, wait time.Duration, stdout io.Writer) error {
	deadline, pending, failed := time.Now().Add(wait), slices.Clone(names), false
	for {
		now, err := o.look()
		if err != nil {
			return unusable(err)
		}
		for _, entry := range now.state.Certificates {
			i := slices.Index(pending, entry.Name)
			if i < 0 || !answers(entry, asked) {
				continue
			}
			pending = slices.Delete(pending, i, i+1)
			failed = failed || nodestate.Fails(&entry)
			_, _ = fmt.Fprintln(stdout, pollResult(entry))
		}
		switch {
		case len(pending) > 0 && time.Now().After(deadline):
			_, _ = fmt.Fprintf(stdout, "poll: no result within %s for %s; 'vaultpane-agent status' shows them\n", wait, truncate.List(pending))
			return cli.ExitStatus(exitNotWell)
		case len(pending) == 0 && failed:
			return cli.ExitStatus(exitNotWell)
		case len(pending) == 0:
			return nil
		}
		<-time.After(100 * time.Millisecond)
	}
}

// answers reports whether an entry is the result of a poll that was requested at this time, or later.
func answers(entry v1alpha1.CertificateEntry, asked time.Time) bool {
	acted, err := time.Parse(time.RFC3339, entry.RequestedAt)
	return err == nil && !acted.Before(asked)
}

func pollResult(entry v1alpha1.CertificateEntry) string {
	text := fmt.Sprintf("%s: %s", entry.Name, stateOf(entry))
	for _, more := range []string{entry.Thumbprint, string(entry.Reason), entry.Message} {
		if more != "" {
			text += ", " + more
		}
	}
	return text
}
