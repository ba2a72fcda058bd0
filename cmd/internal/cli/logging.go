package cli

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

// Logging says how a command logs.
type Logging struct {
	// Level is 0 for what an operator needs, 1 for each decision, 2 for each call.
	Level int
	// Format is json or text.
	Format string
}

// AddTo adds the flags.
func (l *Logging) AddTo(flags *pflag.FlagSet) {
	flags.IntVar(&l.Level, "log-level", 0, "0 what an operator wants, 1 each decision, 2 each call")
	flags.StringVar(&l.Format, "log-format", "json", "json or text")
}

// Validate returns an error that names the first wrong setting.
func (l *Logging) Validate() error {
	switch {
	case l.Level < 0 || l.Level > 10:
		return fmt.Errorf("--log-level is %d, must be 0 to 10", l.Level)
	case l.Format != "json" && l.Format != "text":
		return fmt.Errorf("--log-format is %q, must be json or text", l.Format)
	}
	return nil
}

// Logger returns the process's logger, which writes to one writer. The lines of Kubernetes' libraries go there too, except for those
// of controller-runtime, which has a logger of its own to be set.
func (l *Logging) Logger(writer io.Writer) logr.Logger {
	log := l.logger(writer)
	klog.SetLogger(log.WithName("client-go"))
	return log
}

func (l *Logging) logger(writer io.Writer) logr.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(-l.Level), ReplaceAttr: printable} // logr's level n is slog's -n
	var handler slog.Handler = slog.NewJSONHandler(writer, options)
	if l.Format == "text" {
		handler = slog.NewTextHandler(writer, options)
	}
	return logr.FromSlogHandler(handler)
}

// printable replaces invisible characters in a value: logs are read on terminals, and text from vaults, certificates and accounts
// may contain escape sequences and marks that change the direction of text. The handlers escape line breaks and tabs.
func printable(_ []string, attribute slog.Attr) slog.Attr {
	switch value := attribute.Value.Any().(type) {
	case string:
		attribute.Value = slog.StringValue(visible(value))
	case error:
		attribute.Value = slog.StringValue(visible(value.Error()))
	}
	return attribute
}

func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' || r == '\t' {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
