package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// thing is an object for these tests.
type thing struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
}

// calls records what a follower is told.
type calls []string

func (c *calls) Begin()               { *c = append(*c, "begin") }
func (c *calls) Set(object *thing)    { *c = append(*c, "set "+object.Metadata.Name) }
func (c *calls) Delete(object *thing) { *c = append(*c, "delete "+object.Metadata.Name) }
func (c *calls) Listed()              { *c = append(*c, "listed") }

func TestEventsOfAWatch(t *testing.T) {
	const changes = `{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"11"}}}
{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"12"}}}
{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"13"}}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"20"}}}
`
	for _, test := range []struct {
		name, stream, version string
		calls                 calls
	}{
		{"nothing happens", "", "10", nil},
		{"objects change", changes, "20", calls{"set a", "set a", "delete a"}},
		{"the connection breaks", changes[:100], "11", calls{"set a"}},
		{"the version is too old", `{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}`, "", nil},
		{"the server has another problem", `{"type":"ERROR","object":{"kind":"Status","code":500,"message":"no"}}`, "10", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got calls
			version, err := takeEvents(strings.NewReader(test.stream), "10", &got)
			if diff := cmp.Diff(test.calls, got); diff != "" || version != test.version || err == nil {
				t.Errorf("version %q, want %q; error %v; calls:\n%s", version, test.version, err, diff)
			}
		})
	}
}
