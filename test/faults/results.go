package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// results are what a run has found.
type results struct {
	seed uint64

	mu        sync.Mutex
	faults    map[string]*tally
	found     []string
	looks     map[string]seen
	levelling []string
	killed    int // agents and controllers
	aimed     int // kills in the middle of a write
	all       int // rounds
}

// tally is what was done with one fault.
type tally struct {
	alone, mixed, violations int
	noticed                  int // rounds in which the agent logged about it
	slowest                  time.Duration
	sites                    []string
}

func newResults(seed uint64) *results {
	return &results{seed: seed, faults: map[string]*tally{}, looks: map[string]seen{}}
}

func (r *results) tally(name string) *tally {
	if r.faults[name] == nil {
		r.faults[name] = &tally{}
	}
	return r.faults[name]
}

// round notes that a site had some faults, about which the agent logged, and how long everything took to be as it should after them.
func (r *results) round(site string, faults, noticed []string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all++
	for _, name := range faults {
		one := r.tally(name)
		if len(faults) == 1 {
			one.alone++
		} else {
			one.mixed++
		}
		if slices.Contains(noticed, name) {
			one.noticed++
		}
		one.slowest = max(one.slowest, took)
		if !slices.Contains(one.sites, site) {
			one.sites = append(one.sites, site)
		}
	}
}

// violation notes a promise that did not hold, and prints it at once.
func (r *results) violation(site string, faults []string, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range faults {
		r.tally(name).violations++
	}
	one := fmt.Sprintf("%s, with %s: %s", site, strings.Join(faults, " + "), text)
	r.found = append(r.found, one)
	fmt.Println("faults: VIOLATION " + one)
}

// kill notes that a process was killed.
func (r *results) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed++
}

// kills returns how many processes were killed.
func (r *results) kills() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.killed
}

// aimedKill notes that a kill comes in the middle of a write.
func (r *results) aimedKill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.aimed++
}

// observed notes what the observer of a site has seen in all.
func (r *results) observed(site string, report seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks[site] = report
}

// levelled notes what an agent used at the beginning and at the end of many renewals.
func (r *results) levelled(site string, renewals int, before, after levels) {
	r.mu.Lock()
	defer r.mu.Unlock()
	const megabyte = 1 << 20
	r.tally(renewalsName).alone += renewals
	r.tally(renewalsName).sites = append(r.tally(renewalsName).sites, site)
	r.levelling = append(r.levelling, fmt.Sprintf("%s: %d renewals; goroutines %.0f before, %.0f after; open files %.0f, %.0f; memory %.0f MB, %.0f MB",
		site, renewals, before.goroutines, after.goroutines, before.files, after.files, before.memory/megabyte, after.memory/megabyte))
}

func (r *results) violations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.found)
}

func (r *results) rounds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

func (r *results) summary() string {
	looks := 0
	for _, one := range r.looks {
		looks += one.Looks
	}
	return fmt.Sprintf("%d kills, %d of them in the middle of a write, in %d rounds of %d faults, %d looks of the observers, no violation",
		r.killed, r.aimed, r.all, len(r.faults), looks)
}
