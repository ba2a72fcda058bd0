package main

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// check reads an index back and says all that is not as it should be: platforms, how the program is started and by whom,
// labels, and that there are no files but those of this list. So there is no shell either.
func (p product) check(r release, index v1.ImageIndex) error {
	if err := validate.Index(index); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	var faults []error
	if got, want := platformsOf(manifest), fmt.Sprint(p.platforms); got != want {
		faults = append(faults, fmt.Errorf("%s: its platforms are %s, want %s", p.name, got, want))
	}
	for _, d := range manifest.Manifests {
		image, err := index.Image(d.Digest)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, fault := range p.checkImage(r, *d.Platform, image) {
			faults = append(faults, fmt.Errorf("%s for %s: %w", p.name, d.Platform, fault))
		}
	}
	return errors.Join(faults...)
}

func platformsOf(manifest *v1.IndexManifest) string {
	var out []v1.Platform
	for _, d := range manifest.Manifests {
		if d.Platform == nil {
			d.Platform = &v1.Platform{}
		}
		out = append(out, *d.Platform)
	}
	return fmt.Sprint(out)
}

func (p product) checkImage(r release, platform v1.Platform, image v1.Image) []error {
	var faults []error
	differ := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			faults = append(faults, fmt.Errorf("its %s is %v, want %v", what, got, want))
		}
	}
	file, err := image.ConfigFile()
	if err != nil {
		return []error{err}
	}
	want := p.config(r, platform)
	differ("system", file.Platform().String(), platform.String())
	differ("system's version", file.OSVersion, "")
	differ("entrypoint", file.Config.Entrypoint, want.Entrypoint)
	differ("command", file.Config.Cmd, []string(nil))
	differ("user", file.Config.User, want.User)
	differ("environment", file.Config.Env, want.Env)
	differ("labels", file.Config.Labels, want.Labels)
	differ("time", file.Created.Time, r.created.UTC())

	files, err := contents(image)
	if err != nil {
		return append(faults, err)
	}
	differ("files", slices.Sorted(maps.Keys(files)), p.fileNames(platform))
	program := strings.TrimPrefix(p.entrypoint(platform), "/")
	if platform.OS == "windows" {
		program = "Files/" + program
	}
	return append(faults, checkProgram(files[program], platform)...)
}

// checkProgram checks that a program is built for this platform, by the Go version that the provenance names.
func checkProgram(program []byte, platform v1.Platform) []error {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return []error{fmt.Errorf("its program: %w", err)}
	}
	if info.GoVersion != runtime.Version() {
		return []error{fmt.Errorf("its program is of %s, and this one, which writes the provenance, of %s", info.GoVersion, runtime.Version())}
	}
	got := v1.Platform{}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "GOOS":
			got.OS = setting.Value
		case "GOARCH":
			got.Architecture = setting.Value
		}
	}
	if got.String() != platform.String() {
		return []error{fmt.Errorf("its program is for %s", got)}
	}
	return nil
}

// fileNames are the files that an image should have, in order.
func (p product) fileNames(platform v1.Platform) []string {
	if platform.OS == "windows" {
		names := []string{"Files/LICENSE", "Files/" + p.executable(platform)}
		for _, hive := range hives {
			names = append(names, "Files/Windows/System32/config/"+hive)
		}
		slices.Sort(names)
		return names
	}
	return []string{"LICENSE", "etc/group", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", p.executable(platform)}
}

// contents returns the files of all layers, and an error for what is neither file nor folder, or of another media type.
func contents(image v1.Image) (map[string][]byte, error) {
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, layer := range layers {
		if media, err := layer.MediaType(); err != nil || media != types.OCILayer {
			return nil, fmt.Errorf("a layer is of type %s (%w)", media, err)
		}
		reader, err := layer.Uncompressed()
		if err != nil {
			return nil, err
		}
		if err := readArchive(reader, files); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func readArchive(reader io.ReadCloser, files map[string][]byte) error {
	defer func() { _ = reader.Close() }()
	archive := tar.NewReader(reader)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a layer: %w", err)
		}
		switch header.Typeflag {
		case tar.TypeDir:
		case tar.TypeReg:
			content, err := io.ReadAll(archive)
			if err != nil {
				return fmt.Errorf("reading %s: %w", header.Name, err)
			}
			files[header.Name] = content
		default:
			return fmt.Errorf("%s is neither file nor folder", header.Name)
		}
	}
}
