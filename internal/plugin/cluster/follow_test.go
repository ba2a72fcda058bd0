package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
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

// server answers requests in this order, and records what was requested: a list, or a watch from a resource version.
type server struct {
	answers  []string
	requests []string
	end      func() // called when there is no answer left
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	what := "list " + query.Get("continue")
	if query.Get("watch") != "" {
		what = "watch from " + query.Get("resourceVersion")
	}
	s.requests = append(s.requests, strings.TrimSpace(what))
	if len(s.answers) == 0 {
		s.end()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer := s.answers[0]
	s.answers = s.answers[1:]
	if strings.Contains(answer, `"kind":"Status"`) && strings.HasPrefix(answer, `{"kind`) {
		w.WriteHeader(http.StatusForbidden)
	}
	_, _ = io.WriteString(w, answer)
}

func listOf(version, next string, names ...string) string {
	var items []string
	for _, name := range names {
		items = append(items, fmt.Sprintf(`{"metadata":{"name":%q}}`, name))
	}
	return fmt.Sprintf(`{"items":[%s],"metadata":{"resourceVersion":%q,"continue":%q}}`, strings.Join(items, ","), version, next)
}

// follow follows until the server has no answer left.
func follow(t *testing.T, answers ...string) (got calls, requests []string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &server{answers: answers, end: cancel}
	listening := httptest.NewServer(s)
	defer listening.Close()
	client, err := NewClient(&rest.Config{Host: listening.URL})
	if err != nil {
		t.Fatal(err)
	}
	err = Follow(ctx, client, ObservedCertificates, metav1.ListOptions{}, &got)
	return got, s.requests, err
}

func TestFollowResumesAndListsAgain(t *testing.T) {
	got, requests, err := follow(
		t,
		listOf("10", "more", "a"), listOf("10", "", "b"),
		`{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"11"}}}`,
		`{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}`,
		listOf("20", "", "b"),
	)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"list", "list more", "watch from 10", "watch from 11", "list", "watch from 20"}, requests); diff != "" {
		t.Errorf("requests:\n%s", diff)
	}
	if diff := cmp.Diff(calls{"begin", "set a", "set b", "listed", "set a", "begin", "set b", "listed"}, got); diff != "" {
		t.Errorf("calls:\n%s", diff)
	}
}

func TestFollowEndsWithoutTheRightToWatch(t *testing.T) {
	_, _, err := follow(t, listOf("10", ""), `{"kind":"Status","apiVersion":"v1","code":403,"reason":"Forbidden","message":"bob cannot watch"}`)
	if err == nil || err.Error() != "you may not watch observedcertificates.vaultpane.dev; the ClusterRole view has this right, by vaultpane-view" {
		t.Errorf("got %v", err)
	}
}

func TestAnswersOfOtherServersAreErrors(t *testing.T) {
	if _, _, err := follow(t, "<html>sign in</html>"); err == nil || !strings.Contains(err.Error(), `"<html>sign in</html>" where the JSON should have {`) {
		t.Errorf("got %v", err)
	}
}
