// Package history tells for kubectl vaultpane history which version of a certificate came when to how many nodes, as far as events
// and the nodes' reports tell.
package history

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/status"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// History is what is known of a certificate's versions.
type History struct {
	// Certificate is its name, CreatedAt when the ObservedCertificate was made.
	Certificate string      `json:"certificate"`
	CreatedAt   metav1.Time `json:"createdAt"`
	// Versions are those on nodes now and those of the events, the newest first.
	Versions []Version `json:"versions"`
	// Events are the newest last.
	Events []Occurrence `json:"events"`
	// Since is when the first event happened that is still kept; absent if none is.
	Since *metav1.Time `json:"since,omitempty"`
	// Nodes is how many nodes reported the certificate.
	Nodes int `json:"nodes"`
}

// Version is one version of the certificate.
type Version struct {
	Version    string       `json:"version,omitempty"`
	Thumbprint string       `json:"thumbprint"`
	NotAfter   *metav1.Time `json:"notAfter,omitempty"`
	// Current is set for the one that the nodes should have.
	Current bool `json:"current,omitempty"`
	// Nodes is on how many nodes it is now.
	Nodes int `json:"nodes"`
	// Started is when the first node had it, Completed when every node had it, as far as there are events.
	Started   *metav1.Time `json:"started,omitempty"`
	Completed *metav1.Time `json:"completed,omitempty"`
}

// Occurrence is an event.
type Occurrence struct {
	Time    metav1.Time `json:"time"`
	Reason  string      `json:"reason"`
	Message string      `json:"message,omitempty"`
	Warning bool        `json:"warning,omitempty"`
	Times   int         `json:"times"`
}

// maxLine bounds a text of an event, in characters.
const maxLine = 2048

// Of computes the history of a certificate. Events of an earlier object of its name do not count.
func Of(c *v1alpha1.ObservedCertificate, events []Event, nodes map[string]status.Reported) History {
	h := History{Certificate: c.Name, CreatedAt: c.CreationTimestamp, Events: []Occurrence{}}
	versions := versionsOn(nodes, c.Name)
	h.Nodes = reporting(nodes, c.Name)
	for i := range events {
		e := &events[i]
		if e.InvolvedObject.UID != "" && e.InvolvedObject.UID != string(c.UID) {
			continue
		}
		h.Events = append(h.Events, Occurrence{e.time(), truncate.Line(e.Reason, maxLine), truncate.Line(e.Message, maxLine), e.Type == "Warning", e.times()})
	}
	slices.SortStableFunc(h.Events, func(a, b Occurrence) int { return a.Time.Compare(b.Time.Time) })
	for _, e := range h.Events {
		versions = learn(versions, e)
	}
	if len(h.Events) > 0 {
		h.Since = &h.Events[0].Time
	}
	if current := c.Status.Thumbprint; current != "" {
		i := find(&versions, current)
		versions[i].Current, versions[i].Version, versions[i].NotAfter = true, c.Status.Version, c.Status.NotAfter
	}
	slices.SortFunc(versions, newestFirst)
	h.Versions = versions
	return h
}

func reporting(nodes map[string]status.Reported, name string) (count int) {
	for _, reported := range nodes {
		if _, found := reported.Certificates[name]; found {
			count++
		}
	}
	return count
}

// versionsOn counts what is on nodes now.
func versionsOn(nodes map[string]status.Reported, name string) []Version {
	versions := []Version{}
	for _, reported := range nodes {
		entry, found := reported.Certificates[name]
		if !found || entry.Thumbprint == "" {
			continue
		}
		i := find(&versions, entry.Thumbprint)
		versions[i].Nodes++
		versions[i].Version, versions[i].NotAfter = cmp.Or(versions[i].Version, entry.Version), entry.NotAfter
	}
	return versions
}

// find returns the place of a thumbprint, which is added if it is new.
func find(versions *[]Version, thumbprint string) int {
	i := slices.IndexFunc(*versions, func(v Version) bool { return v.Thumbprint == thumbprint })
	if i < 0 {
		*versions = append(*versions, Version{Thumbprint: thumbprint})
		i = len(*versions) - 1
	}
	return i
}

// newestFirst orders versions: the current one, then those that started last, then those that expire last.
func newestFirst(a, b Version) int {
	return cmp.Or(
		rank(a)-rank(b),
		latest(b.Started).Compare(latest(a.Started)),
		latest(b.NotAfter).Compare(latest(a.NotAfter)),
		strings.Compare(a.Thumbprint, b.Thumbprint),
	)
}

func rank(v Version) int {
	if v.Current {
		return 0
	}
	return 1
}

func latest(at *metav1.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.Time
}
