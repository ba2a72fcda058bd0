package controlplane

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// etcdArgs make etcd quick rather than safe: the data dies with it. The peer port is never used, so any will do. The
// quota is above the default of 2 GiB for benchmarks with thousands of nodes.
func (c *ControlPlane) etcdArgs() []string {
	return []string{
		"--data-dir=" + c.path("etcd"),
		"--listen-client-urls=" + c.etcdURL,
		"--advertise-client-urls=" + c.etcdURL,
		"--listen-peer-urls=http://127.0.0.1:0",
		"--unsafe-no-fsync",
		"--quota-backend-bytes=8589934592",
		"--log-level=warn",
	}
}

func (c *ControlPlane) etcdReady(ctx context.Context) error {
	return get(ctx, http.DefaultClient, c.etcdURL+"/health")
}

// get returns an error unless the status is 200.
func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
		return fmt.Errorf("%s: %s", response.Status, body)
	}
	return nil
}
