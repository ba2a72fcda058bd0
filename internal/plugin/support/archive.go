package support

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
)

// folder is the folder in the archive that has all files.
const folder = "vaultpane"

// Manifest describes an archive, for its reader and for the person who sends it.
func Manifest(files []File, missing []Missing, at time.Time, version string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Collected by kubectl vaultpane %s at %s.\n\n", version, at.UTC().Format(time.RFC3339))
	for _, file := range files {
		fmt.Fprintf(&text, "%9d  %-50s %s\n", len(file.Content), file.Name, file.About)
	}
	if len(missing) > 0 {
		text.WriteString("\nNot collected:\n")
		for _, one := range missing {
			fmt.Fprintf(&text, "  %s: %v\n", one.What, one.Why)
		}
	}
	text.WriteString(`
Left out: Secrets, the kubeconfig, tokens, managed fields, applied configurations, addresses and annotations of nodes. Values of
variables, flags, annotations and keys that are named like a secret, and text that looks like a token or a private key, are
replaced by ` + removed + `. Names of nodes, vaults, certificates and accounts are in the files, and so are thumbprints and
client ids.
`)
	return text.String()
}

// Write writes the archive: the manifest first, then the files in their order, all with the same time.
func Write(out io.Writer, manifest string, files []File, at time.Time) error {
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	for _, file := range append([]File{{Name: "MANIFEST.txt", Content: []byte(manifest)}}, files...) {
		header := &tar.Header{Name: path.Join(folder, file.Name), Mode: 0o600, Size: int64(len(file.Content)), ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(file.Content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

// Create writes the archive to a new file that only its owner may read. It removes an unfinished one.
func Create(name, manifest string, files []File, at time.Time) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(Write(file, manifest, files, at), file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
