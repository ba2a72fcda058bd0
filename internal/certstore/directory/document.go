package directory

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Lines before the PEM block, which PEM parsers ignore (RFC 7468, section 2, explanatory text).
const (
	certificateSuffix = ".pem"
	markLine          = "# "
	friendlyNameLine  = "# friendly-name: "
	accessLine        = "# access: "
	successorLine     = "# renewed-by: "
	keyLine           = "# private-key: beside this file"
	pemCertificate    = "CERTIFICATE"
)

// document is a certificate's file.
type document struct {
	certificate  *x509.Certificate
	mark         string // the line of the mark, empty without one
	friendlyName string
	access       string // the access list of the key, which is kept and not applied
	successor    string // thumbprint of its renewal
	hasKey       bool   // whether it should have a key file
}

func (d document) encode() []byte {
	var text strings.Builder
	if d.mark != "" {
		text.WriteString(markLine + d.mark + "\n")
	}
	for _, line := range []struct{ begin, text string }{
		{friendlyNameLine, d.friendlyName}, {accessLine, d.access}, {successorLine, d.successor},
	} {
		if line.text != "" {
			text.WriteString(line.begin + strings.Map(oneLine, line.text) + "\n")
		}
	}
	if d.hasKey {
		text.WriteString(keyLine + "\n")
	}
	text.Write(pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: d.certificate.Raw}))
	return []byte(text.String())
}

// change returns a changed copy of the document.
func (d document) change(change certstore.Change) document {
	if change.Mark != nil {
		d.mark = change.Mark.String()
	}
	if change.Access != nil && d.hasKey {
		d.access = *change.Access
	}
	if change.Successor != nil {
		d.successor = *change.Successor
	}
	return d
}

// oneLine replaces line breaks in a name.
func oneLine(r rune) rune {
	if r == '\n' || r == '\r' {
		return ' '
	}
	return r
}

// errDamaged is the error of a file without a valid certificate.
var errDamaged = errors.New("the file contains no certificate")

func readDocument(path string) (document, error) {
	text, err := readRegular(path)
	if err != nil {
		return document{}, err
	}
	return decodeDocument(text)
}

func decodeDocument(text []byte) (document, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemCertificate {
		return document{}, errDamaged
	}
	certificate, err := x509cert.Read(block.Bytes)
	if err != nil {
		return document{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	read := document{certificate: certificate}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "-----BEGIN") {
			break
		}
		read.readLine(line)
	}
	return read, nil
}

func (d *document) readLine(line string) {
	name, isName := strings.CutPrefix(line, friendlyNameLine)
	access, isAccess := strings.CutPrefix(line, accessLine)
	successor, isSuccessor := strings.CutPrefix(line, successorLine)
	mark, isComment := strings.CutPrefix(line, markLine)
	_, ours, _ := certstore.ParseMark(mark) // entry reports an invalid mark
	switch {
	case isName:
		d.friendlyName = name
	case isAccess:
		d.access = access
	case isSuccessor:
		d.successor = successor
	case line == keyLine:
		d.hasKey = true
	case isComment && ours:
		d.mark = mark
	}
}

// entry returns the file as an entry of the interface.
func (d document) entry(key certstore.KeyState) *certstore.Entry {
	entry := &certstore.Entry{
		Certificate: d.certificate, Thumbprint: certstore.Thumbprint(d.certificate), Key: key, FriendlyName: d.friendlyName,
		OwnKey: d.hasKey, Access: d.access, Successor: d.successor,
	}
	mark, ours, err := certstore.ParseMark(d.mark)
	switch {
	case ours && err == nil:
		entry.Mark = &mark
	case ours:
		entry.UnknownMark = true
	}
	return entry
}
