package main

import (
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// setUpLogging sends every log line of the process, the client libraries' too, to one writer.
func setUpLogging(o options, writer io.Writer) {
	settings := &slog.HandlerOptions{Level: slog.Level(-o.logLevel)} // logr's level n is slog's -n
	var handler slog.Handler = slog.NewJSONHandler(writer, settings)
	if o.logFormat == "text" {
		handler = slog.NewTextHandler(writer, settings)
	}
	log := logr.FromSlogHandler(handler)
	ctrl.SetLogger(log)
	klog.SetLogger(log.WithName("client-go"))
}
