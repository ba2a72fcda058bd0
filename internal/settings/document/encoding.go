package document

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Decode returns a file's content as UTF-8 without byte order mark. It knows UTF-16 by its mark, as Windows PowerShell writes
// it with Out-File, or by the zero bytes of its first character. Text that is not valid, or has a NUL, is a Problem.
func Decode(content []byte) ([]byte, *Problem) {
	var text []byte
	var problem *Problem
	switch {
	case bytes.HasPrefix(content, []byte("\xef\xbb\xbf")):
		text = content[3:]
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
		text, problem = decode16(content[2:], binary.LittleEndian)
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		text, problem = decode16(content[2:], binary.BigEndian)
	case len(content) > 1 && content[0] != 0 && content[1] == 0:
		text, problem = decode16(content, binary.LittleEndian)
	case len(content) > 1 && content[0] == 0 && content[1] != 0:
		text, problem = decode16(content, binary.BigEndian)
	default:
		text = content
	}
	if problem != nil {
		return nil, problem
	}
	return text, invalid(text)
}

func decode16(content []byte, order binary.ByteOrder) ([]byte, *Problem) {
	text := make([]byte, 0, len(content)/2)
	for len(content) > 1 {
		char, size := rune(order.Uint16(content)), 2
		if utf16.IsSurrogate(char) {
			var low rune
			if len(content) >= 4 {
				low = rune(order.Uint16(content[2:]))
			}
			char, size = utf16.DecodeRune(char, low), 4
			if char == utf8.RuneError {
				return nil, broken16(text)
			}
		}
		text, content = utf8.AppendRune(text, char), content[size:]
	}
	if len(content) > 0 {
		return nil, broken16(text)
	}
	return text, nil
}

func broken16(before []byte) *Problem {
	return &Problem{Line: lineAt(before, len(before)), Text: "the file is UTF-16 but breaks off within a character here; save it again, as UTF-8"}
}

// invalid finds the first byte that text must not have.
func invalid(text []byte) *Problem {
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return &Problem{Line: lineAt(text, at), Text: "a NUL byte is here, so the file is not text; give the settings as JSON or YAML in UTF-8"}
	}
	if utf8.Valid(text) {
		return nil
	}
	at := 0
	for {
		char, size := utf8.DecodeRune(text[at:])
		if char == utf8.RuneError && size == 1 {
			return &Problem{Line: lineAt(text, at), Text: fmt.Sprintf("the byte 0x%02X here is not UTF-8; save the file as UTF-8", text[at])}
		}
		at += size
	}
}

// lineAt returns the line of an offset, from 1.
func lineAt(text []byte, offset int) int {
	return 1 + bytes.Count(text[:min(offset, len(text))], []byte("\n"))
}
