package main

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// windowsPath is where Windows looks for programs. A HostProcess container sees the host's.
const windowsPath = `PATH=C:\Windows\system32;C:\Windows;C:\Windows\System32\WindowsPowerShell\v1.0`

// config is how the image's program is run.
func (p product) config(r release, platform v1.Platform) v1.Config {
	config := v1.Config{Entrypoint: []string{p.entrypoint(platform)}, Labels: p.labels(r)}
	if platform.OS == "windows" {
		config.Env = []string{windowsPath} // the user is the pod's runAsUserName
		return config
	}
	config.User, config.WorkingDir = nonroot, "/"
	config.Env = []string{"PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}
	return config
}

// layers are the image's files: what the program needs of a system, and the program.
func (p product) layers(r release, platform v1.Platform, program []byte) []part {
	if platform.OS == "windows" {
		return []part{{"base", windowsBase()}, {"program", windowsProgram(p.executable(platform), program, r.licence)}}
	}
	return []part{{"base", linuxBase()}, {"program", linuxProgram(p.executable(platform), program, r.licence)}}
}

// part is a layer before it is one.
type part struct {
	name    string
	entries []entry
}

// image assembles a platform's image.
func (p product) image(r release, platform v1.Platform, program []byte) (v1.Image, error) {
	created := v1.Time{Time: r.created.UTC()}
	var additions []mutate.Addendum
	for _, part := range p.layers(r, platform, program) {
		layer, err := layer(part.entries, r.created)
		if err != nil {
			return nil, err
		}
		history := v1.History{Created: created, CreatedBy: "make images", Comment: part.name}
		additions = append(additions, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: history})
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base, additions...)
	if err != nil {
		return nil, fmt.Errorf("adding layers: %w", err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Variant, file.Created = platform.OS, platform.Architecture, platform.Variant, created
	file.Config = p.config(r, platform)
	return mutate.ConfigFile(image, file)
}
