//go:build standalone

package main

import (
	"context"
	"errors"

	"github.com/go-logr/logr"
)

// setLibraryLogger does nothing: this build has no controller-runtime.
func setLibraryLogger(logr.Logger) {}

// runAgent fails: a build with the tag standalone has no Kubernetes client, which makes it smaller and quicker to build.
func runAgent(context.Context, options) error {
	return errors.New("this build has no Kubernetes client: use 'vaultpane-agent run --settings PATH', or a build without the tag standalone")
}
