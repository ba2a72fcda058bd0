package armor

import (
	"bytes"
	"strings"
)

// The markers of PEM (RFC 7468).
const (
	// Begin is the beginning of a block's first line.
	Begin = "-----BEGIN "
	// PGP is the beginning of the headings of OpenPGP (RFC 9580, section 6.2).
	PGP = "PGP "

	end    = "-----END "
	dashes = "-----"
)

// Block is one block of PEM. Its caller overwrites DER.
type Block struct {
	// Heading is the label of the block.
	Heading string
	// Encrypted is true if the body is encrypted as in RFC 1421.
	Encrypted bool
	// DER is the decoded body, nil for a block that is encrypted or of OpenPGP, whose bodies have headers.
	DER []byte
}

// NextBlock reads the next block and returns the text after it, or why the block cannot be read. It replaces encoding/pem,
// which leaves copies of a key in memory and skips a block whose line breaks are lost: portals and scripts turn them into
// spaces or into the letters \n, neither of which can mean anything else in base64. The text has at least one Begin.
func NextBlock(text []byte) (block Block, rest []byte, damage string) {
	begin := bytes.Index(text, []byte(Begin))
	text = text[begin+len(Begin):]
	heading, body, found := bytes.Cut(text, []byte(dashes))
	if !found || bytes.ContainsAny(heading, "\r\n") {
		return block, text, "its BEGIN line is incomplete"
	}
	block.Heading = string(heading)
	last := bytes.Index(body, []byte(end))
	if other := bytes.Index(body, []byte(Begin)); last < 0 || other >= 0 && other < last {
		return block, body, "it is truncated and has no END line"
	}
	content, tail := body[:last], body[last+len(end):]
	if !bytes.HasPrefix(tail, append(bytes.Clone(heading), dashes...)) {
		return block, tail, "its BEGIN and END lines have different labels"
	}
	rest = tail[len(heading)+len(dashes):]
	block.Encrypted = bytes.Contains(content, []byte("Proc-Type:"))
	if block.Encrypted || strings.HasPrefix(block.Heading, PGP) { // these have headers of their own
		return block, rest, ""
	}
	var ok bool
	// DecodeBase64 overwrites the copy.
	if block.DER, ok = DecodeBase64(withoutEscapes(bytes.Clone(content))); !ok && len(bytes.TrimSpace(content)) > 0 {
		return block, rest, "the text between its BEGIN and END lines is not base64"
	}
	return block, rest, ""
}

// withoutEscapes turns the letters \n, \r and \t into spaces, in place.
func withoutEscapes(text []byte) []byte {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '\\' && (text[i+1] == 'n' || text[i+1] == 'r' || text[i+1] == 't') {
			text[i], text[i+1] = ' ', ' '
		}
	}
	return text
}
