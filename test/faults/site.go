package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// front is how certificates are asked for, and how the agent reports: through the API server, or by files.
type front interface {
	// settings are the agent's environment variables.
	settings() []string
	// join makes what the agent needs when it starts.
	join(ctx context.Context) error
	// write asks for these certificates and no others.
	write(ctx context.Context, certificates []*v1alpha1.ObservedCertificate) error
	// state returns what the agent reports.
	state(ctx context.Context) (v1alpha1.NodeCertificateState, error)
	// differs says what else does not follow from the state; empty for nothing.
	differs(ctx context.Context, certificates []*v1alpha1.ObservedCertificate) (string, error)
}

// site is a node or a machine without a cluster: an agent, its store, an observer beside it, and vaults of its own.
type site struct {
	name, short string
	root, dir   string
	machine     *node.Machine
	front       front
	vaults      *keyvault.Server
	vault       *keyvault.Vault
	random      *rand.Rand
	results     *results

	agent   *node.Process
	metrics string // address of the agent's metrics
	exposed string // the metrics when they were last read
	watch   *observer
	disk    disk
	wishes  wishes
	others  map[string][]byte // files that are not the agent's, by path
	// repeating ends what happens again and again.
	repeating []func()
}

// start makes the store, with certificates of others in it, and waits until the agent has installed its own.
func (s *site) start(ctx context.Context, kind node.Kind) error {
	var err error
	if s.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(s.dir, "keyvault"), Vaults: []string{"shop"}}); err != nil {
		return err
	}
	s.vault = s.vaults.Vault("shop")
	if kind == node.Native && !inCluster(s) { // the other writes to the machine's disk, which takes its time
		if err := s.disk.mount(s.machineDir()); err != nil {
			return err
		}
	}
	if s.machine, err = node.NewMachine(ctx, kind, s.root, s.machineDir()); err != nil {
		return err
	}
	if s.watch, err = newObserver(ctx, s); err != nil {
		return err
	}
	if s.others, err = s.addOthers(ctx); err != nil {
		return err
	}
	if err := s.makeWishes(); err != nil {
		return err
	}
	if err := s.front.join(ctx); err != nil {
		return err
	}
	if err := s.restart(); err != nil {
		return err
	}
	if problem := s.settle(ctx, time.Now().Add(startLimit)); problem != "" {
		return errors.New("the first certificates were not installed: " + problem)
	}
	return s.watch.start(s.wishes.subjects())
}

// startLimit is how long the first installation may take.
const startLimit = 3 * time.Minute

func (s *site) machineDir() string { return filepath.Join(s.dir, "machine") }

func (s *site) native() bool { return s.machine.Kind == node.Native }

// restart kills the agent, if it runs, and starts another.
func (s *site) restart() error {
	if s.agent != nil {
		s.agent.Kill()
	}
	settings := slices.Concat(s.vaults.Env(), s.front.settings(), []string{
		"VAULTPANE_STORE_CHECK_INTERVAL=2s", "VAULTPANE_INITIAL_SPREAD=0s", "VAULTPANE_LOG_FORMAT=text", "VAULTPANE_LOG_LEVEL=1",
		"VAULTPANE_ALLOWED_VAULT_HOSTS=localhost," + hiddenHost,
	})
	if s.metrics != "" {
		settings = append(settings, "VAULTPANE_METRICS_BIND_ADDRESS="+s.metrics)
	}
	var command []string
	if _, files := s.front.(*files); files {
		command = []string{"run"}
	}
	var err error
	s.agent, err = s.machine.Start(s.agentLog(), settings, command...)
	return err
}

// kill kills the agent at a random moment of its work, or in the middle of a write to its store, and starts another.
func (s *site) kill(ctx context.Context) error {
	longest := 500 * time.Millisecond
	if !s.native() {
		longest = 2 * time.Second // Wine takes that long to start it
	}
	if s.native() && s.random.IntN(2) == 0 {
		if s.awaitWrite(ctx, 2*longest) {
			s.results.aimedKill()
			wait(ctx, time.Duration(s.random.Int64N(int64(s.writing()))))
		}
	} else {
		wait(ctx, time.Duration(s.random.Int64N(int64(longest))))
	}
	s.results.kill()
	return s.restart()
}

// writing is about how long the agent takes to write a certificate and its key.
func (s *site) writing() time.Duration {
	if s.disk.exists() {
		return 200 * time.Microsecond
	}
	return 4 * time.Millisecond // until they are on the machine's disk
}

// awaitWrite returns when the folder of a store changes, which is the beginning of a write, or after a time; it reports which.
func (s *site) awaitWrite(ctx context.Context, limit time.Duration) bool {
	changed := func() [2]time.Time {
		var times [2]time.Time
		for i, store := range []string{"MY", "WEBHOSTING"} {
			if info, err := os.Stat(filepath.Join(s.machine.StorePath(), "LocalMachine", store)); err == nil {
				times[i] = info.ModTime()
			}
		}
		return times
	}
	before := changed()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline) && ctx.Err() == nil; wait(ctx, 20*time.Microsecond) {
		if changed() != before {
			return true
		}
	}
	return false
}

func (s *site) close() {
	if s.watch != nil {
		s.watch.kill()
	}
	if s.agent != nil {
		s.agent.Kill()
	}
	if s.machine != nil {
		s.machine.Close()
	}
	if s.vaults != nil {
		_ = s.vaults.Close() // it ends with this process anyway
	}
	s.disk.unmount()
}

// addOthers puts certificates into the store that are not the agent's, and a file. It returns the files among them.
func (s *site) addOthers(ctx context.Context) (map[string][]byte, error) {
	for range 3 {
		if _, err := s.watch.runOnce(ctx, "add", otherName); err != nil {
			return nil, err
		}
	}
	if !s.native() {
		return nil, nil
	}
	folder := filepath.Join(s.machine.StorePath(), "LocalMachine", "MY")
	note := filepath.Join(folder, "note.txt")
	if err := os.WriteFile(note, []byte("Somebody keeps a file here.\n"), 0o600); err != nil {
		return nil, fmt.Errorf("writing a file: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	others := map[string][]byte{}
	for _, file := range files {
		text, failed := os.ReadFile(file)
		others[file], err = text, errors.Join(err, failed)
	}
	return others, err
}

// otherName is the subject of the certificates that are not the agent's.
const otherName = "other.example.com"

// wait waits, or returns when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
