// Package plan says what applying ObservedCertificates would change in a cluster: which fields, on which nodes, and what stands in the
// way. It decides by what was read, and asks the API server what it would store.
package plan

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
)

// Action is what applying does to an ObservedCertificate.
type Action string

// Actions.
const (
	New       Action = "new"
	Changed   Action = "changed"
	Unchanged Action = "unchanged"
)

// Level says how much a remark matters.
type Level string

// Levels.
const (
	// Note: worth knowing.
	Note Level = "note"
	// Warning: it can be applied, and probably does not do what is wanted.
	Warning Level = "warning"
	// Conflict: it cannot be applied, or fails on the nodes.
	Conflict Level = "conflict"
)

// Remark is something to know before applying.
type Remark struct {
	Level  Level  `json:"level"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
	// Command does what Remedy says; empty if there is none.
	Command string `json:"command,omitempty"`
}

// Change is what applying does to one ObservedCertificate.
type Change struct {
	Name   string  `json:"name"`
	Action Action  `json:"action"`
	URL    string  `json:"url"`
	Store  string  `json:"store"`
	Fields []Field `json:"fields,omitempty"`
	Nodes  Reach   `json:"nodes"`
	// Remarks are in the order of their level, the worst first.
	Remarks []Remark `json:"remarks,omitempty"`
}

// Wanted is an ObservedCertificate of a file, with the defaults of the CRD.
type Wanted = v1alpha1.ObservedCertificate

// State is what was read of a cluster.
type State struct {
	installation.Installation
	// Certificates are all ObservedCertificates.
	Certificates []v1alpha1.ObservedCertificate
	// Nodes are all nodes; nil if they could not be read.
	Nodes []Node
	// Tried are the API server's answers, by name.
	Tried map[string]Answer
	// Unread says what could not be read, a sentence each.
	Unread []string
}

// Node is what a plan needs of a node.
type Node struct {
	Name   string
	Labels labels.Set
	// Reports is true if its agent has reported.
	Reports bool
	// Waits is true if it has the startup taint.
	Waits bool
}

// Answer is what the API server says to a dry run.
type Answer struct {
	// Stored is the object as it would be stored; nil without an answer.
	Stored *v1alpha1.ObservedCertificate
	// Refused is why it would not be stored.
	Refused error
	// NotAsked is why there is no answer, such as missing rights.
	NotAsked error
}

// Make returns the changes, in the order of the files.
func Make(state *State, wanted []Wanted) []Change {
	changes := make([]Change, 0, len(wanted))
	for i := range wanted {
		changes = append(changes, state.change(&wanted[i], wanted))
	}
	return changes
}

func (s *State) change(wanted *Wanted, all []Wanted) Change {
	current := s.current(wanted.Name)
	answer := s.Tried[wanted.Name]
	after := wanted
	if answer.Stored != nil {
		after = answer.Stored
	}
	change := Change{Name: wanted.Name, Action: New, URL: wanted.Spec.Source(), Store: storeOf(&wanted.Spec), Nodes: s.reach(current, wanted)}
	if current != nil {
		change.Fields = fieldsBetween(current, after, wanted)
		if change.Action = Changed; len(change.Fields) == 0 {
			change.Action = Unchanged
		}
	}
	change.Remarks = slices.Concat(s.answerRemarks(answer), s.vaultRemarks(wanted), s.sharingRemarks(wanted, all), s.nodeRemarks(wanted, change.Nodes), replacedRemarks(current, wanted))
	slices.SortStableFunc(change.Remarks, func(a, b Remark) int { return cmp.Compare(rank(b.Level), rank(a.Level)) })
	return change
}

// current returns the ObservedCertificate of a name, nil if there is none.
func (s *State) current(name string) *v1alpha1.ObservedCertificate {
	for i := range s.Certificates {
		if s.Certificates[i].Name == name {
			return &s.Certificates[i]
		}
	}
	return nil
}

// Worst returns the worst level of all remarks; empty without any.
func Worst(changes []Change) Level {
	var worst Level
	for _, change := range changes {
		for _, remark := range change.Remarks {
			if rank(remark.Level) > rank(worst) {
				worst = remark.Level
			}
		}
	}
	return worst
}

func rank(level Level) int { return slices.Index([]Level{Note, Warning, Conflict}, level) }
