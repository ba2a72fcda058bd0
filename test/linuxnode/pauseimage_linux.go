package linuxnode

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"runtime"
)

// pauseImage is the name of the image whose container holds the namespaces of a pod.
const pauseImage = "vaultpane.dev/pause:test"

// pauseArchive is an OCI layout with an image of one program (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
func pauseArchive(program []byte) ([]byte, error) {
	layer, err := tarOf(file{"pause", 0o755, program})
	if err != nil {
		return nil, err
	}
	const kind = "application/vnd.oci.image."
	config := object{
		"architecture": runtime.GOARCH, "os": "linux", "config": object{"Entrypoint": []string{"/pause"}},
		"rootfs": object{"type": "layers", "diff_ids": []string{digest(layer)}},
	}.json()
	manifest := object{
		"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
		"config": described(kind+"config.v1+json", config), "layers": []object{described(kind+"layer.v1.tar", layer)},
	}.json()
	entry := described(kind+"manifest.v1+json", manifest)
	entry["annotations"] = object{"org.opencontainers.image.ref.name": "pause"}
	files := []file{
		{"oci-layout", 0o644, object{"imageLayoutVersion": "1.0.0"}.json()},
		{"index.json", 0o644, object{"schemaVersion": 2, "manifests": []object{entry}}.json()},
	}
	for _, blob := range [][]byte{layer, config, manifest} {
		files = append(files, file{fmt.Sprintf("blobs/sha256/%x", sha256.Sum256(blob)), 0o644, blob})
	}
	return tarOf(files...)
}

type object map[string]any

func (o object) json() []byte {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // strings and numbers
	}
	return text
}

func digest(blob []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(blob)) }

func described(mediaType string, blob []byte) object {
	return object{"mediaType": mediaType, "digest": digest(blob), "size": len(blob)}
}

type file struct {
	name    string
	mode    int64
	content []byte
}

func tarOf(files ...file) ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, one := range files {
		if err := archive.WriteHeader(&tar.Header{Name: one.name, Mode: one.mode, Size: int64(len(one.content)), Typeflag: tar.TypeReg}); err != nil {
			return nil, fmt.Errorf("writing %s: %w", one.name, err)
		}
		if _, err := archive.Write(one.content); err != nil {
			return nil, fmt.Errorf("writing %s: %w", one.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
