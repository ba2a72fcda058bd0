package cli

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// serviceLink is a variable that Kubernetes sets for a Service whose name begins with this project's, or an image for its version.
var serviceLink = regexp.MustCompile(`^VAULTPANE_(.+_)?(VERSION|SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// Variables are the environment variables that the flags read.
func (c Command) Variables() []string {
	flags := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
	c.Add(flags)
	var names []string
	flags.VisitAll(func(flag *pflag.Flag) { names = append(names, Variable(flag.Name)) })
	return names
}

// Unread looks for environment variables (name=value) that are named like settings but are not read. A name that nearly matches a
// setting is an error: the program would run without that setting. The others are returned, to be logged: they may be for another
// version of the program.
func Unread(known, environ []string) ([]string, error) {
	return unread(known, environ, runtime.GOOS == "windows")
}

// unread is Unread for a system whose environment variables are case-sensitive, or with anyCase are not.
func unread(known, environ []string, anyCase bool) ([]string, error) {
	var others []string
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(strings.ToUpper(name), environmentPrefix) || value == "" || isRead(known, name, anyCase) {
			continue
		}
		if setting := meant(known, name); setting != "" {
			return nil, fmt.Errorf("environment variable %s is unknown; did you mean %s? Correct or remove it", name, setting)
		}
		others = append(others, name)
	}
	slices.Sort(others)
	return others, nil
}

// isRead reports whether a variable is a setting, or set by Kubernetes.
func isRead(known []string, name string, anyCase bool) bool {
	if anyCase {
		name = strings.ToUpper(name)
	}
	return slices.Contains(known, name) || serviceLink.MatchString(name)
}

// meant returns the known name that differs from this one by its case or by at most two letters, empty for none.
func meant(known []string, name string) string {
	best, least := "", 3
	for _, candidate := range known {
		if distance := nearest.Distance(strings.ToUpper(name), candidate); distance < least {
			best, least = candidate, distance
		}
	}
	return best
}
