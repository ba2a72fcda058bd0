package main

import (
	"context"
	"errors"

	"github.com/vaultpane/vaultpane/internal/convert"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

func runCheck(context.Context, *cluster.Flags, terminal.Streams, convert.Result) error {
	return errors.New("not yet")
}
