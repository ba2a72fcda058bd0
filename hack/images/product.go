package main

import (
	"path"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// source is the repository that the images' labels and provenance name.
const source = "https://github.com/vaultpane/vaultpane"

// nonroot is the user of the Linux images, with the number that distroless images give it.
const nonroot = "65532:65532"

// product is one image.
type product struct {
	name        string // of the image, its layout and its command
	command     string // package of the command
	description string
	platforms   []v1.Platform
}

// products are what is built. A Windows entry has no os.version: HostProcess containers run on every version, and
// containerd takes such an entry for all of them (https://github.com/containerd/containerd/pull/8106).
var products = []product{
	{
		name: "vaultpane-agent", command: "./cmd/agent",
		description: "Keeps the certificates of one node in step with Azure Key Vault",
		platforms:   []v1.Platform{{OS: "windows", Architecture: "amd64"}, {OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}},
	},
	{
		name: "vaultpane-controller", command: "./cmd/controller",
		description: "Rolls up what the nodes report, and removes the startup taint from them",
		platforms:   []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}},
	},
}

// release is what all images of one build have in common.
type release struct {
	version string
	commit  string
	created time.Time // of the commit: nothing else in the images has a time
	licence []byte
}

// executable returns the name of the program in the image.
func (p product) executable(platform v1.Platform) string {
	if platform.OS == "windows" {
		return p.name + ".exe"
	}
	return p.name
}

// entrypoint returns how the image's program is started. On Windows that is the plain name: where the image's files are
// depends on containerd's version, and is looked in by all of them
// (https://learn.microsoft.com/azure/aks/use-windows-hpc).
func (p product) entrypoint(platform v1.Platform) string {
	if platform.OS == "windows" {
		return p.executable(platform)
	}
	return path.Join("/", p.executable(platform))
}

// labels are the image's labels (https://specs.opencontainers.org/image-spec/annotations).
func (p product) labels(r release) map[string]string {
	const key = "org.opencontainers.image."
	return map[string]string{
		key + "title": p.name, key + "description": p.description, key + "source": source, key + "licenses": "Apache-2.0",
		key + "version": r.version, key + "revision": r.commit, key + "created": r.created.UTC().Format(time.RFC3339),
	}
}
