package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// settle asks for a poll of every certificate, and waits until the agent's report, the store and the vault agree with what is asked
// for, and nothing is left over. It returns what still differs at the deadline; empty for nothing.
func (s *site) settle(ctx context.Context, deadline time.Time) string {
	asked := time.Now().UTC().Format(time.RFC3339Nano)
	s.wishes.ask(asked)
	problem := "it has not looked"
	written := false
	for ctx.Err() == nil {
		if !written {
			err := s.front.write(ctx, s.wishes.list())
			written = err == nil
			problem = fmt.Sprintf("the certificates cannot be asked for: %v", err)
		}
		if written {
			if problem = s.differs(ctx, asked); problem == "" {
				return ""
			}
		}
		if time.Now().After(deadline) {
			return problem
		}
		pause := 100 * time.Millisecond
		if !s.native() {
			pause = 500 * time.Millisecond
		}
		wait(ctx, pause)
	}
	return "it was interrupted"
}

// differs says what is not as it should be: in the agent's report, then in the store, then beside them.
func (s *site) differs(ctx context.Context, asked string) string {
	state, err := s.front.state(ctx)
	if err != nil {
		return fmt.Sprintf("the state cannot be read: %v", err)
	}
	reported := map[string]v1alpha1.CertificateEntry{}
	for _, entry := range state.Certificates {
		reported[entry.Name] = entry
	}
	if len(reported) != len(s.wishes.wanted) {
		return fmt.Sprintf("%d certificates are reported, %d are asked for", len(reported), len(s.wishes.wanted))
	}
	for name := range s.wishes.wanted {
		versions := s.vault.Versions(name)
		entry, newest := reported[name], versions[len(versions)-1]
		if entry.State != v1alpha1.StateInstalled || entry.Reason != "" || entry.Version != newest || entry.RequestedAt != asked {
			return fmt.Sprintf("%s is reported as %+v, the newest version is %s", name, entry, newest)
		}
	}
	if problem := s.storeDiffers(ctx); problem != "" {
		return problem
	}
	problem, err := s.front.differs(ctx, s.wishes.list())
	if err != nil {
		return err.Error()
	}
	return problem
}

// storeDiffers compares what the observer sees in the store with what is asked for.
func (s *site) storeDiffers(ctx context.Context) string {
	all, err := s.watch.holds(ctx)
	if err != nil {
		return fmt.Sprintf("the store cannot be read: %v", err)
	}
	held := map[string][]holding{}
	for _, one := range all {
		name := strings.TrimSuffix(one.Name, ".example.com")
		held[name] = append(held[name], one)
	}
	for name, some := range held {
		if wanted := s.wishes.wanted[name]; wanted != nil {
			if problem := judge(name, s.vault.Thumbprint(name), wanted.Spec, some); problem != "" {
				return problem
			}
		} else if name != "other" {
			return fmt.Sprintf("%s is left over in the store", name)
		}
	}
	for name := range s.wishes.wanted {
		if held[name] == nil {
			return fmt.Sprintf("%s is not in the store", name)
		}
	}
	return s.leftovers()
}

// judge says what is wrong with the versions of a certificate in the stores: the newest must be in its store, with as many before it
// as its history may have, and each must work.
func judge(name, newest string, spec v1alpha1.ObservedCertificateSpec, some []holding) string {
	store := spec.CertificateStoreName
	isThere := func(one holding) bool { return one.Thumbprint == newest && one.Store == store }
	if !slices.ContainsFunc(some, isThere) {
		return fmt.Sprintf("%s is not in %s with its newest version %s: %+v", name, store, newest, some)
	}
	for _, one := range some {
		if !one.Works {
			return fmt.Sprintf("%s has a certificate without its key: %+v", name, one)
		}
		if one.Store != store {
			return fmt.Sprintf("%s is left over in %s", name, one.Store)
		}
	}
	if len(some) > 1+int(*spec.RevisionHistoryLimit) {
		return fmt.Sprintf("the store has %d versions of %s", len(some), name)
	}
	return ""
}

// leftovers are files of a directory store that belong to nothing.
func (s *site) leftovers() string {
	if !s.native() {
		return ""
	}
	files, err := filepath.Glob(filepath.Join(s.machine.StorePath(), "*", "*", "*"))
	if err != nil {
		return err.Error()
	}
	for _, file := range files {
		base, isKey := strings.CutSuffix(file, ".key")
		if isKey && !slices.Contains(files, base+".pem") || strings.Contains(filepath.Base(file), ".unfinished") {
			return fmt.Sprintf("%s is left over", filepath.Base(file))
		}
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), everybody) {
			return fmt.Sprintf("%s still gives everybody access", filepath.Base(file))
		}
	}
	for file, content := range s.others {
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, content) {
			return fmt.Sprintf("%s, which is not the agent's, is gone or has changed", filepath.Base(file))
		}
	}
	return ""
}
