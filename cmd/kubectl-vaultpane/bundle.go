package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/doctor"
	"github.com/vaultpane/vaultpane/internal/plugin/support"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// writeBundle collects what a report of a bug needs, and says what is in it.
func writeBundle(ctx context.Context, client *cluster.Client, snapshot *doctor.Snapshot, name string, streams terminal.Streams) error {
	findings := doctor.Text(snapshot.Title(), doctor.Check(snapshot), terminal.Style{UTF8: true})
	files := []support.File{{Name: "findings.txt", About: "what kubectl vaultpane doctor finds", Content: []byte(support.Text(findings))}}
	collector := &support.Collector{Cluster: client, Namespace: snapshot.Namespace}
	collected, missing := collector.Collect(ctx)
	files = append(files, collected...)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	manifest := support.Manifest(files, missing, snapshot.Server, version)
	err := support.Create(name, manifest, files, snapshot.Server)
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s exists already; choose another name, or remove it", name)
	}
	if err != nil {
		return unreadable(err)
	}
	_, err = fmt.Fprintf(streams.Out, "%s\nWrote %s, which only you may read. Look into it before you send it: tar -xzf %s\n", manifest, name, name)
	return err
}
