package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/ports"
)

const renewalsName = "renewals in a row"

// renewals renews one certificate again and again, without a fault, and compares what the agent uses at the beginning and at the end.
func (s *site) renewals(ctx context.Context, count int) error {
	if !s.renewsMost() {
		count = max(1, count/10)
	}
	address, err := ports.FreeAddress()
	if err != nil {
		return err
	}
	s.metrics = address
	if err := s.restart(); err != nil {
		return err
	}
	var before levels
	for number := range count {
		if err := s.put(s.kept(1)); err != nil {
			return err
		}
		start := time.Now()
		if wrong := s.installs(ctx, s.kept(1), start.Add(settleLimit)); wrong != "" {
			s.results.violation(s.name, []string{renewalsName}, wrong)
			return ctx.Err()
		}
		if number == count/10 { // caches are filled by then
			if before, err = s.levels(ctx); err != nil {
				return err
			}
		}
	}
	mended := time.Now()
	if wrong := s.settle(ctx, mended.Add(settleLimit)); wrong != "" {
		s.results.violation(s.name, []string{renewalsName}, wrong)
	}
	after, err := s.levels(ctx)
	if err != nil {
		return err
	}
	s.results.levelled(s.name, count, before, after)
	if problem := before.grewTo(after, s.native()); problem != "" {
		s.results.violation(s.name, []string{renewalsName}, problem)
	}
	news, err := s.watch.news()
	for _, one := range news {
		s.results.violation(s.name, []string{renewalsName}, one.text)
	}
	return err
}

// installs asks for a poll, and waits until the newest version is in the store.
func (s *site) installs(ctx context.Context, name string, deadline time.Time) string {
	s.wishes.ask(time.Now().UTC().Format(time.RFC3339Nano), name)
	written := false
	for ; ctx.Err() == nil; wait(ctx, 20*time.Millisecond) {
		there, err := false, error(nil)
		if !written { // another site may have taken the API server away
			err = s.front.write(ctx, s.wishes.list())
			written = err == nil
		}
		if written {
			there, err = s.has(ctx, name)
		}
		if there {
			return ""
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("%s is not renewed in time (%v)", name, err)
		}
	}
	return "it was interrupted"
}

// has reports whether the store has the newest version of a certificate: by its file, since a report comes a second later, or by the
// report where there is no file.
func (s *site) has(ctx context.Context, name string) (bool, error) {
	newest := s.vault.Thumbprint(name)
	if s.native() {
		files, err := filepath.Glob(filepath.Join(s.machine.StorePath(), "LocalMachine", "*", newest+".pem"))
		return len(files) > 0, err
	}
	state, err := s.front.state(ctx)
	for _, entry := range state.Certificates {
		if entry.Name == name && entry.Thumbprint == newest {
			return true, nil
		}
	}
	return false, err
}

// levels are what a process uses.
type levels struct{ goroutines, files, memory float64 }

// levels reads the goroutines from the agent's metrics, and counts the rest from outside.
func (s *site) levels(ctx context.Context) (levels, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.metrics+"/metrics", nil)
	if err != nil {
		return levels{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return levels{}, fmt.Errorf("reading the metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return levels{}, fmt.Errorf("reading the metrics: %w", err)
	}
	s.exposed = string(text)
	files, err := s.agent.OpenFiles()
	if err != nil {
		return levels{}, err
	}
	memory, err := s.agent.ResidentBytes()
	return levels{metric(text, "go_goroutines"), float64(files), float64(memory)}, err
}

func metric(text []byte, name string) float64 {
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err == nil {
				return number
			}
		}
	}
	return 0
}

// grewTo says what is no longer level; empty for nothing. Wine itself loses memory with each certificate, so that only the rest counts
// there.
func (l levels) grewTo(after levels, memory bool) string {
	const megabyte = 1 << 20
	switch {
	case after.goroutines > l.goroutines+10:
		return fmt.Sprintf("the goroutines grew from %.0f to %.0f", l.goroutines, after.goroutines)
	case after.files > l.files+10:
		return fmt.Sprintf("the open files grew from %.0f to %.0f", l.files, after.files)
	case memory && after.memory > l.memory*1.25+8*megabyte:
		return fmt.Sprintf("the memory grew from %.0f to %.0f MB", l.memory/megabyte, after.memory/megabyte)
	}
	return ""
}
