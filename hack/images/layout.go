package main

import (
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// index puts the platforms' images together. Its order is the products' own.
func (p product) index(r release, images []v1.Image) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, image := range images {
		platform := p.platforms[i]
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: plain{image}, Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: &platform}})
	}
	annotated, ok := mutate.Annotations(index, p.labels(r)).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("annotating the index of %s: it is no longer an index", p.name)
	}
	return annotated, nil
}

// plain is an image whose entry in an index says nothing of artifacts, as entries were before OCI 1.1.
type plain struct{ v1.Image }

// ArtifactType is asked by the library.
func (plain) ArtifactType() (string, error) { return "", nil }

// writeLayout writes an OCI layout with one index, in place of what was there, and returns the index's digest.
func writeLayout(folder, name string, index v1.ImageIndex) (v1.Hash, error) {
	if err := os.RemoveAll(folder); err != nil {
		return v1.Hash{}, fmt.Errorf("removing the layout before: %w", err)
	}
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("making the layout %s: %w", folder, err)
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": name})); err != nil {
		return v1.Hash{}, fmt.Errorf("writing the layout %s: %w", folder, err)
	}
	return index.Digest()
}

// readLayout returns the one index of a layout.
func readLayout(folder string) (v1.ImageIndex, error) {
	root, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return nil, fmt.Errorf("opening the layout %s: %w", folder, err)
	}
	manifest, err := root.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading the layout %s: %w", folder, err)
	}
	if len(manifest.Manifests) != 1 || !match.MediaTypes(string(types.OCIImageIndex))(manifest.Manifests[0]) {
		return nil, fmt.Errorf("the layout %s has other than one index", folder)
	}
	return root.ImageIndex(manifest.Manifests[0].Digest)
}
