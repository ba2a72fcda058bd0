package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// provenance says how an image came to be, as a predicate of SLSA (https://slsa.dev/spec/v1.0/provenance). Who signs it names the image.
type provenance struct {
	BuildDefinition buildDefinition `json:"buildDefinition"`
	RunDetails      runDetails      `json:"runDetails"`
}

type buildDefinition struct {
	BuildType            string            `json:"buildType"`
	ExternalParameters   map[string]string `json:"externalParameters"`
	InternalParameters   map[string]string `json:"internalParameters"`
	ResolvedDependencies []material        `json:"resolvedDependencies"`
}

// material is a ResourceDescriptor (https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md).
type material struct {
	URI         string            `json:"uri"`
	Digest      map[string]string `json:"digest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type runDetails struct {
	Builder  map[string]string `json:"builder"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// origin is who builds.
type origin struct {
	source     string // URL of the repository
	builder    string // a URI
	invocation string // a URI, empty when there is none to look at
}

// material names the sources. Those that differ from their commit have no digest that anybody could look up.
func (o origin) material(commit string) material {
	if upon, dirty := strings.CutSuffix(commit, "-dirty"); dirty {
		return material{URI: "git+" + o.source, Annotations: map[string]string{"changedUpon": upon}}
	}
	return material{URI: "git+" + o.source, Digest: map[string]string{"gitCommit": commit}}
}

// describe writes an image's provenance.
func (o origin) describe(r release, p product) ([]byte, error) {
	statement := provenance{
		BuildDefinition: buildDefinition{
			BuildType:            source + "/blob/main/docs/release.md#images",
			ExternalParameters:   map[string]string{"command": "make images", "image": p.name, "version": r.version},
			InternalParameters:   map[string]string{"go": runtime.Version(), "created": r.created.UTC().Format(time.RFC3339)},
			ResolvedDependencies: []material{o.material(r.commit)},
		},
		RunDetails: runDetails{Builder: map[string]string{"id": o.builder}},
	}
	if o.invocation != "" {
		statement.RunDetails.Metadata = map[string]string{"invocationId": o.invocation}
	}
	out, err := json.MarshalIndent(statement, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the provenance: %w", err)
	}
	return append(out, '\n'), nil
}
