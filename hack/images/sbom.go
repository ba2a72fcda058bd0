package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// bill is the bill of materials of a platform's image, in CycloneDX: its program, each module and the Go version that the
// linker put down in it (https://pkg.go.dev/debug/buildinfo), and on Linux the roots to trust.
func (p product) bill(r release, platform v1.Platform, program []byte) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil, fmt.Errorf("reading what %s is made of: %w", p.fileName(platform), err)
	}
	sum := sha256.Sum256(program)
	main := cyclonedx.Component{
		BOMRef: "program", Type: cyclonedx.ComponentTypeApplication, Name: p.executable(platform), Version: r.version,
		PackageURL: packageURL(info.Main.Path, r.version),
		Hashes:     &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses:   &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "Apache-2.0"}}},
	}
	components := []cyclonedx.Component{library("stdlib", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, library(module.Path, module.Version))
	}
	var needs []string
	for _, component := range components {
		needs = append(needs, component.BOMRef)
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: r.created.UTC().Format(time.RFC3339),
		Component: &cyclonedx.Component{BOMRef: "image", Type: cyclonedx.ComponentTypeContainer, Name: p.name, Version: r.version, Properties: &[]cyclonedx.Property{{Name: "platform", Value: platform.String()}}},
	}
	holds := []string{main.BOMRef}
	if platform.OS != "windows" {
		trusted, err := rootsModule()
		if err != nil {
			return nil, err
		}
		components, holds = append(components, trusted), append(holds, trusted.BOMRef)
	}
	bom.Components = ptr(slices.Insert(components, 0, main))
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: "image", Dependencies: &holds}, {Ref: main.BOMRef, Dependencies: &needs}}
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return nil, fmt.Errorf("writing the bill of materials: %w", err)
	}
	return out.Bytes(), nil
}

// rootsModule is the module that the roots are of, in the version that this program was built with.
func rootsModule() (cyclonedx.Component, error) {
	const path = "golang.org/x/crypto/x509roots/fallback"
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == path {
			return library(path, module.Version), nil
		}
	}
	return cyclonedx.Component{}, fmt.Errorf("reading the version of %s: this program does not know it", path)
}

func library(path, version string) cyclonedx.Component {
	url := packageURL(path, version)
	return cyclonedx.Component{BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url}
}

// packageURL names a Go module (https://github.com/package-url/purl-spec/blob/main/types-doc/golang-definition.md).
func packageURL(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

func ptr[T any](value T) *T { return &value }
