package main

import (
	"sigs.k8s.io/yaml"
)

// plugin is the manifest of a plugin, as Krew reads it
// (https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/).
type plugin struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       pluginSpec     `json:"spec"`
}

type pluginSpec struct {
	Version          string     `json:"version"`
	Homepage         string     `json:"homepage"`
	ShortDescription string     `json:"shortDescription"`
	Description      string     `json:"description"`
	Platforms        []platform `json:"platforms"`
}

type platform struct {
	Selector selector `json:"selector"`
	URI      string   `json:"uri"`
	SHA256   string   `json:"sha256"`
	Bin      string   `json:"bin"`
}

type selector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

const description = `Vaultpane installs certificates from Azure Key Vault into the certificate stores of Windows nodes.
This plugin converts settings of the Key Vault VM extension into ObservedCertificates, shows which
certificate is on which node and why not, requests polls, and checks an installation.
`

// krew returns the manifest of a version's archives.
func krew(version, base string, archives []archive) ([]byte, error) {
	manifest := plugin{
		APIVersion: "krew.googlecontainertools.github.com/v1alpha2", Kind: "Plugin", Metadata: map[string]any{"name": "vaultpane"},
		Spec: pluginSpec{
			Version: version, Homepage: "https://github.com/vaultpane/vaultpane",
			ShortDescription: "Key Vault certificates on Windows nodes", Description: description,
		},
	}
	for _, one := range archives {
		manifest.Spec.Platforms = append(manifest.Spec.Platforms, platform{
			Selector: selector{map[string]string{"os": one.OS, "arch": one.Arch}},
			URI:      base + "/" + version + "/" + one.name(), SHA256: one.SHA256, Bin: one.program(),
		})
	}
	return yaml.Marshal(manifest)
}
