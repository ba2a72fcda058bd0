package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// entry is a file, or a folder when its name ends with a slash.
type entry struct {
	name    string
	mode    int64
	content []byte
	records map[string]string // further records of the tar archive, for Windows
}

func (e entry) folder() bool { return e.name[len(e.name)-1] == '/' }

// archive writes the entries as a tar archive, in their order, owned by root, with one time.
func archive(entries []entry, created time.Time) ([]byte, error) {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, e := range entries {
		header := &tar.Header{
			Name: e.name, Mode: e.mode, Size: int64(len(e.content)), ModTime: created.UTC().Truncate(time.Second),
			Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: e.records,
		}
		if e.folder() {
			header.Typeflag = tar.TypeDir
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("writing %s to a layer: %w", e.name, err)
		}
		if _, err := writer.Write(e.content); err != nil {
			return nil, fmt.Errorf("writing %s to a layer: %w", e.name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("ending a layer: %w", err)
	}
	return buffer.Bytes(), nil
}

// layer is an archive as an image has it: compressed, and so of the compressed media type. A layer of one with the type of
// the other is what Windows refuses (https://github.com/google/go-containerregistry/issues/1980).
func layer(entries []entry, created time.Time) (v1.Layer, error) {
	content, err := archive(entries, created)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	out, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestCompression))
	if err != nil {
		return nil, fmt.Errorf("compressing a layer: %w", err)
	}
	return out, nil
}
