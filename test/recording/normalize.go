package main

import (
	"fmt"
	"regexp"
	"strings"
)

// normalizer replaces what differs from run to run.
type normalizer struct {
	url   string // of the vault's endpoint
	known map[string]string
}

func newNormalizer(url string) *normalizer { return &normalizer{url: url, known: map[string]string{}} }

var (
	thumbprint = regexp.MustCompile(`\b[0-9A-F]{40}\b`)
	version    = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
	short      = regexp.MustCompile(`\b[0-9a-f]{8}\b`)
	timestamp  = regexp.MustCompile(`\d{4}-\d\d-\d\d(T| )\d\d:\d\d(:\d\d)?Z?`)
	date       = regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`)
	ago        = regexp.MustCompile(`\b(\d+ [sm])\b( *)`)
	seconds    = regexp.MustCompile(`\b\d+(\.\d+)?s\b`)
	agent      = regexp.MustCompile(`as\s+agent\s+\S+\s+reported`)
	random     = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
)

func (n *normalizer) normalize(output string) string {
	output = strings.ReplaceAll(output, n.url, "https://"+shown)
	output = strings.ReplaceAll(output, strings.TrimPrefix(n.url, "https://"), shown)
	output = n.each(random, output, func(i int) string { return fmt.Sprintf("%08d-0000-4000-8000-000000000000", i) })
	output = n.each(thumbprint, output, func(i int) string { return strings.Repeat(fmt.Sprintf("%02X", 0xA0+i), 20) })
	output = n.each(version, output, func(i int) string { return strings.Repeat(fmt.Sprintf("%02x", 0xb0+i), 16) })
	output = n.each(short, output, func(i int) string { return strings.Repeat(fmt.Sprintf("%02x", 0xb0+i), 4) })
	output = agent.ReplaceAllString(output, "as agent v0.1.0 reported")
	output = timestamp.ReplaceAllString(output, "2027-01-15T09:00:00Z")
	output = date.ReplaceAllString(output, "2027-04-15")
	output = ago.ReplaceAllStringFunc(output, sameAge)
	return seconds.ReplaceAllString(output, "9s")
}

// each gives every text that matches a value of its own, the same for the same text.
func (n *normalizer) each(pattern *regexp.Regexp, output string, value func(i int) string) string {
	return pattern.ReplaceAllStringFunc(output, func(found string) string {
		if n.known[found] == "" {
			n.known[found] = value(len(n.known))
		}
		return n.known[found]
	})
}

// sameAge gives every age one value, and keeps the columns behind it where they are.
func sameAge(found string) string {
	const age = "9 s"
	if !strings.HasSuffix(found, "  ") { // the end of a sentence
		return age + found[len(strings.TrimRight(found, " ")):]
	}
	return age + strings.Repeat(" ", max(len(found)-len(age), 0))
}
