package settings

import (
	"bytes"
	"regexp"
)

const expected = "give ObservedCertificates (apiVersion vaultpane.dev/v1alpha1) or the settings of the Key Vault VM extension for Windows, as JSON or YAML"

// foreignBytes recognizes binary files that are given by mistake. It returns what to say, empty for others.
func foreignBytes(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")), bytes.HasPrefix(content, []byte("\x1f\x8b")):
		return "the file is a compressed archive; " + expected
	case len(content) > 1 && content[0] == 0x30 && (content[1] == 0x80 || content[1]&0xf0 == 0x80 && content[1] != 0x80):
		return "the file is a certificate or a PFX (DER); Vaultpane fetches certificates from Key Vault itself: " + expected
	}
	return ""
}

var (
	pemBlock    = regexp.MustCompile(`(?m)^-----BEGIN `) // in YAML it would be indented
	base64Block = regexp.MustCompile(`^MI[0-9A-Za-z+/\s]{100,}=*\s*$`)
	fileName    = regexp.MustCompile(`^@\S+$`)
	terraform   = regexp.MustCompile(`(?m)^(resource|data|module|variable|provider)\s+"[^"\n]+"(\s+"[^"\n]+")?\s*\{`)
	bicep       = regexp.MustCompile(`(?m)^(param|resource|var)\s+\w+[^=\n]*=|^targetScope\s*=`)
)

// foreignText recognizes texts that are given by mistake. Nothing of them is repeated, because they may hold a private key.
func foreignText(text []byte) string {
	trimmed := bytes.TrimSpace(text)
	switch {
	case pemBlock.Match(trimmed):
		return "the file is a certificate or key (PEM); Vaultpane fetches certificates from Key Vault itself: " + expected
	case base64Block.Match(trimmed):
		return "the file is a certificate or a PFX (base64); Vaultpane fetches certificates from Key Vault itself: " + expected
	case fileName.Match(trimmed):
		return "the file holds only the name of a file, in the syntax of az; give that file instead"
	case bytes.HasPrefix(trimmed, []byte("<")):
		return "the file is HTML or XML, perhaps a page for signing in that was saved instead of the settings; " + expected
	case terraform.Match(trimmed):
		return "the file is Terraform source; give the settings that it produces: 'terraform show -json' and from there the value of settings"
	case bicep.Match(trimmed):
		return "the file is Bicep source; give the settings that it produces: 'az bicep build' and from there the value of properties.settings"
	}
	return ""
}
