package linuxnode

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Import puts an image into the node, from an OCI layout whose folder has the image's reference name, under each of the names, as a
// pull would.
func (n *Node) Import(ctx context.Context, layout string, names ...string) error {
	reader, writer := io.Pipe()
	go func() {
		archive := tar.NewWriter(writer)
		err := archive.AddFS(os.DirFS(layout))
		if err == nil {
			err = archive.Close()
		}
		writer.CloseWithError(err) // nil is the end of the archive
	}()
	if err := n.importArchive(ctx, reader, filepath.Base(layout), names...); err != nil {
		return fmt.Errorf("importing %s: %w", layout, err)
	}
	return nil
}

func (n *Node) importPause(ctx context.Context) error {
	program, err := os.ReadFile(n.options.Pause)
	if err != nil {
		return fmt.Errorf("reading the program of the pause image: %w", err)
	}
	archive, err := pauseArchive(program)
	if err != nil {
		return err
	}
	if err := n.importArchive(ctx, bytes.NewReader(archive), "pause", pauseImage); err != nil {
		return fmt.Errorf("importing the pause image: %w", err)
	}
	return nil
}

// importArchive imports the image of an OCI layout that has the given reference name there, for this machine's platform.
func (n *Node) importArchive(ctx context.Context, archive io.Reader, reference string, names ...string) error {
	const base = "vaultpane.dev/imported"
	if _, err := n.ctr(ctx, archive, "images", "import", "--base-name", base, "-"); err != nil {
		return err
	}
	// the imported name stays: kubelet's part of containerd may already know the image by it
	for _, name := range names {
		if _, err := n.ctr(ctx, nil, "images", "tag", base+":"+reference, name); err != nil {
			return err
		}
	}
	return nil
}

// ctr runs containerd's client for the images and containers of kubelet.
func (n *Node) ctr(ctx context.Context, input io.Reader, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "ctr", append([]string{"--address", n.dir.socket(), "--namespace", "k8s.io"}, arguments...)...)
	command.Stdin = input
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ctr %s: %w: %s", strings.Join(arguments, " "), err, bytes.TrimSpace(output))
	}
	return string(output), nil
}
