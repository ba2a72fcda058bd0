// Package convert turns what people have of the Key Vault VM extension's settings into ObservedCertificates. It reads outputs of
// tools, templates and settings in any JSON or YAML:
//
//	files ─document.Parse→ trees ─arm.Expand→ resources ─find→ sites ─tidy→ entries ─merge→ certificates ─write→ YAML
//
// The rules: the form of a value is put right and said; what it means is not guessed. What cannot be read is left out, and a
// finding says who has to act.
package convert
