package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/standalone"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// table prints a line for each certificate, then what is wrong with each, and with the settings.
func table(s seen, wide bool) string {
	var text strings.Builder
	writer := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	columns := []string{"NAME", "STATE", "REASON", "THUMBPRINT", "EXPIRES"}
	if wide {
		columns = append(columns, "VERSION", "SINCE")
	}
	_, _ = fmt.Fprintln(writer, strings.Join(columns, "\t"))
	var messages []string
	for _, entry := range s.state.Certificates {
		row := []string{entry.Name, stateOf(entry), string(entry.Reason), entry.Thumbprint, ""}
		if entry.NotAfter != nil {
			row[4] = entry.NotAfter.UTC().Format(time.RFC3339)
		}
		if wide {
			row = append(row, entry.Version, "")
			if entry.Since != nil {
				row[6] = entry.Since.UTC().Format(time.RFC3339)
			}
		}
		for i, cell := range row {
			if row[i] = truncate.Line(cell, 256); cell == "" {
				row[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(writer, strings.Join(row, "\t"))
		if entry.Message != "" {
			messages = append(messages, entry.Name+": "+entry.Message)
		}
	}
	_ = writer.Flush() // to memory
	messages = append(messages, standalone.SettingsProblems(s.state)...)
	if s.runs && s.silent() {
		messages = append(messages, "the agent runs, and has not written its state since "+renewed(s.state)+": see its log")
	}
	if len(s.state.Certificates) == 0 {
		text.Reset()
		text.WriteString("No certificates.\n")
	}
	for i, message := range messages {
		if i == 0 {
			text.WriteString("\n")
		}
		text.WriteString(truncate.Line(message, 2048) + "\n")
	}
	return text.String()
}

// stateOf names an entry's state. In the API an installed certificate has none.
func stateOf(entry v1alpha1.CertificateEntry) string {
	if entry.State == v1alpha1.StateInstalled {
		return "Installed"
	}
	return string(entry.State)
}
