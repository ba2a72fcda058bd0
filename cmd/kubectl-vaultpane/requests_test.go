package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// requests records what is requested, and answers every list as empty and every object as one without fields.
type requests struct {
	mu   sync.Mutex
	made []string
}

func (r *requests) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	query := request.URL.Query()
	query.Del("timeout")
	request.URL.RawQuery = query.Encode()
	r.made = append(r.made, request.Method+" "+request.URL.String())
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"metadata":{"name":"web"},"items":[]}`)
}

func TestNoMoreIsReadThanIsShown(t *testing.T) {
	const api, lease = "/apis/vaultpane.dev/v1alpha1/", "GET /apis/coordination.k8s.io/v1/leases?fieldSelector=metadata.name%3Dvaultpane-controller&limit=250"
	empty := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		arguments []string
		want      []string
	}{
		{"all certificates", []string{"status"}, []string{"GET " + api + "observedcertificates?limit=250", lease}},
		{"one certificate", []string{"status", "web"}, []string{"GET " + api + "observedcertificates/web", "GET " + api + "nodecertificatestates?limit=250", lease}},
		{"a name that is given twice", []string{"status", "web", "web"}, []string{"GET " + api + "observedcertificates/web", "GET " + api + "nodecertificatestates?limit=250", lease}},
		{"one node", []string{"status", "--node", "win-1"}, []string{"GET " + api + "nodecertificatestates/win-1"}},
		{"one certificate on one node", []string{"status", "web", "--node", "win-1"}, []string{"GET " + api + "observedcertificates/web", "GET " + api + "nodecertificatestates/win-1"}},
		{"a poll", []string{"poll", "web"}, []string{"GET " + api + "observedcertificates/web", "PATCH " + api + "observedcertificates/web"}},
		{"a suspension that is there", []string{"resume", "web"}, []string{"GET " + api + "observedcertificates/web"}},
		{"a history", []string{"history", "web"}, []string{
			"GET " + api + "observedcertificates/web",
			"GET /api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DObservedCertificate%2CinvolvedObject.name%3Dweb&limit=250",
			"GET " + api + "nodecertificatestates?limit=250",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen := &requests{}
			server := httptest.NewServer(seen)
			defer server.Close()
			text, code := execute(t.Context(), &output{}, append(test.arguments, "--kubeconfig", empty, "--server", server.URL)...)
			if diff := cmp.Diff(test.want, seen.made); diff != "" || code != 0 {
				t.Errorf("exit code %d, it printed %s\nrequests:\n%s", code, text, diff)
			}
		})
	}
}
