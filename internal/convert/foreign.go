package convert

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

var (
	pemBlock  = regexp.MustCompile(`(?m)^-----BEGIN `)
	terraform = regexp.MustCompile(`(?m)^\s*(resource|data|module|variable|provider|output|locals|terraform)\s*("[^"\n]*"\s*){0,2}\{`)
	bicep     = regexp.MustCompile(`(?m)^(param|resource|var|module|targetScope|using|metadata|@[a-z]+\()\s*\S*`)
	script    = regexp.MustCompile(`(?im)^\s*(#!|\$[\w:]+\s*=|param\s*\(|az\s+\w+|(set|new|add|get|update)-az\w+|export\s+\w+=)`)
)

// foreignBytes recognizes binary files.
func foreignBytes(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")), bytes.HasPrefix(content, []byte("\x1f\x8b")):
		return "is a compressed archive; unpack it, then " + advice
	case len(content) > 1 && content[0] == 0x30 && content[1]&0xf0 == 0x80 && content[1] != 0x80:
		return "is a certificate or a PFX; " + advice
	}
	return ""
}

// foreignText recognizes sources, which are not evaluated, and says which command shows what they produce.
func foreignText(name string, text []byte) string {
	trimmed := bytes.TrimSpace(text)
	ext := strings.ToLower(path.Ext(name))
	switch structured := len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['); {
	case pemBlock.Match(trimmed):
		return "is a certificate or a key (PEM); " + advice
	case ext == ".bicep" || ext == ".bicepparam" || !structured && ext == "" && bicep.Match(trimmed) && bytes.Contains(trimmed, []byte("@20")):
		return "is Bicep source, which is not read: 'az bicep build --file " + path.Base(name) + "' (or bicep build) makes the template, 'az bicep build-params' its parameters; give those"
	case ext == ".tf" || ext == ".tfvars" || !structured && terraform.Match(trimmed):
		return "is Terraform source, which is not read: 'terraform plan -out plan && terraform show -json plan > plan.json' writes what it plans, 'terraform show -json > state.json' what there is; give that"
	case ext == ".ps1" || ext == ".psm1" || ext == ".sh" || ext == ".cmd" || ext == ".bat" || !structured && ext != ".yaml" && ext != ".yml" && script.Match(trimmed):
		return "is a script, which is not run; " + advice
	case bytes.HasPrefix(trimmed, []byte("<")):
		return "is XML or HTML; " + advice
	}
	return ""
}
