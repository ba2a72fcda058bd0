package linuxnode

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestThePauseImageIsAnOCILayout(t *testing.T) {
	archive, err := pauseArchive([]byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	files := unpacked(t, archive)
	for name, content := range files {
		if digest, found := strings.CutPrefix(name, "blobs/sha256/"); found && digest != fmt.Sprintf("%x", sha256.Sum256(content)) {
			t.Errorf("the blob %s has another digest", name)
		}
	}
	type descriptor struct {
		Digest string
		Size   int
	}
	read := func(d descriptor, into any) {
		t.Helper()
		content := files["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if len(content) != d.Size || d.Size == 0 {
			t.Fatalf("the blob %s has %d bytes, want %d", d.Digest, len(content), d.Size)
		}
		if into == nil {
			return
		}
		if err := json.Unmarshal(content, into); err != nil {
			t.Fatal(err)
		}
	}
	var index struct{ Manifests []descriptor }
	if err := json.Unmarshal(files["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	read(index.Manifests[0], &manifest)
	var config struct {
		Config struct{ Entrypoint []string }
		RootFS struct {
			Diffs []string `json:"diff_ids"`
		}
	}
	read(manifest.Config, &config)
	read(manifest.Layers[0], nil)
	if config.RootFS.Diffs[0] != manifest.Layers[0].Digest {
		t.Errorf("the layer is %s, and the configuration names %s", manifest.Layers[0].Digest, config.RootFS.Diffs[0])
	}
	layer := files["blobs/sha256/"+strings.TrimPrefix(manifest.Layers[0].Digest, "sha256:")]
	if got := string(unpacked(t, layer)[strings.TrimPrefix(config.Config.Entrypoint[0], "/")]); got != "program" {
		t.Errorf("the entrypoint is %q, want the program", got)
	}
}

func unpacked(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}
