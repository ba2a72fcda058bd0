package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// linuxBase is what a static program needs of a system: a user, and the roots to trust. There is no shell, no package
// manager and no other program.
func linuxBase() []entry {
	return []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, content: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: roots()},
	}
}

func linuxProgram(name string, program, licence []byte) []entry {
	return []entry{
		{name: "LICENSE", mode: 0o644, content: licence},
		{name: name, mode: 0o755, content: program},
	}
}

// roots are Mozilla's, as the Go project keeps them, pinned by go.sum. Those that Mozilla trusts under conditions are left
// out: a PEM file cannot state them.
func roots() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes all
		}
	}
	return out.Bytes()
}
