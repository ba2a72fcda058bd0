package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serve starts the HTTP servers of health and metrics, where they are on. They end with the context.
func (m *machine) serve(ctx context.Context) error {
	health := http.NewServeMux()
	health.HandleFunc("/healthz", func(response http.ResponseWriter, _ *http.Request) { _, _ = response.Write([]byte("ok")) })
	health.HandleFunc("/readyz", func(response http.ResponseWriter, _ *http.Request) {
		if err := m.ready(); err != nil {
			http.Error(response, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = response.Write([]byte("ok"))
	})
	metrics := http.NewServeMux()
	metrics.Handle("/metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	if err := m.listen(ctx, "--health-probe-bind-address", m.options.HealthAddress, health); err != nil {
		return err
	}
	return m.listen(ctx, "--metrics-bind-address", m.options.MetricsAddress, metrics)
}

// listen serves at an address until the context ends. flag names it in errors.
func (m *machine) listen(ctx context.Context, flag, address string, handler http.Handler) error {
	if address == noAddress || address == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // no response is worth waiting for
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.log.Error(err, "The HTTP server has ended", "address", address)
		}
	}()
	return nil
}
