package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheProxyForwardsHangsAndCuts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	defer server.Close()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: \"" + server.URL + "\"}}]\ncontexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := newProxy(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.listener.Close() }() // the test ends
	changed, err := os.ReadFile(kubeconfig)
	if err != nil || strings.Contains(string(changed), server.URL) {
		t.Fatalf("the kubeconfig leads past the proxy: %s (%v)", changed, err)
	}
	get := func(limit time.Duration) error {
		client := http.Client{Timeout: limit}
		response, err := client.Get("http://" + p.listener.Addr().String())
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	if err := get(time.Minute); err != nil {
		t.Errorf("it does not forward: %v", err)
	}
	p.hang()
	if err := get(100 * time.Millisecond); err == nil {
		t.Error("it forwards while it hangs")
	}
	p.resume()
	p.cut()
	if err := get(time.Minute); err != nil {
		t.Errorf("it does not forward again: %v", err)
	}
}
