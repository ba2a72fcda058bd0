package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/standalone"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// table prints a line for each certificate, then what is wrong with each, and with the settings.
func table(s seen, wide bool) string {
	var text strings.Builder
	if len(s.state.Certificates) == 0 {
		text.WriteString("No certificates.\n")
	} else {
		printRows(s.state.Certificates, wide, &text)
	}
	for i, message := range s.messages() {
		if i == 0 {
			text.WriteString("\n")
		}
		text.WriteString(truncate.Line(message, 2048) + "\n")
	}
	return text.String()
}

func printRows(entries []v1alpha1.CertificateEntry, wide bool, text *strings.Builder) {
	columns := 5
	if wide {
		columns = 7
	}
	writer := tabwriter.NewWriter(text, 0, 0, 3, ' ', 0)
	rows := [][]string{{"NAME", "STATE", "REASON", "THUMBPRINT", "EXPIRES", "VERSION", "SINCE"}}
	for _, entry := range entries {
		rows = append(rows, []string{entry.Name, stateOf(entry), string(entry.Reason), entry.Thumbprint, timeOf(entry.NotAfter), entry.Version, timeOf(entry.Since)})
	}
	for _, row := range rows {
		for i, cell := range row {
			if row[i] = truncate.Line(cell, 256); cell == "" {
				row[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(writer, strings.Join(row[:columns], "\t"))
	}
	_ = writer.Flush() // to memory
}

func timeOf(at *metav1.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// messages are what is wrong, a line each: with certificates, with settings files, and with the agent.
func (s seen) messages() []string {
	var messages []string
	for _, entry := range s.state.Certificates {
		if entry.Message != "" {
			messages = append(messages, entry.Name+": "+entry.Message)
		}
	}
	for _, name := range standalone.Unprocessed(s.state) {
		messages = append(messages, name+": not processed yet, as its settings are now")
	}
	messages = append(messages, standalone.SettingsProblems(s.state)...)
	if !s.runs {
		messages = append(messages, s.noAgent())
	}
	if s.runs && s.silent() {
		messages = append(messages, "the agent runs, and has not written its state since "+renewed(s.state)+": see its log")
	}
	return messages
}

// stateOf names an entry's state. In the API an installed certificate has none.
func stateOf(entry v1alpha1.CertificateEntry) string {
	if entry.State == v1alpha1.StateInstalled {
		return "Installed"
	}
	return string(entry.State)
}
