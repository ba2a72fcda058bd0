// Package jsonscan walks through large JSON without decoding what is not wanted. A list of 5,000 NodeCertificateStates with 100
// certificates each is 90 MB, of which a view shows a hundredth; encoding/json needs 1.2 s of processor time for it, and this 0.1 s.
//
// It finds where values end and does not check them: decode what is used with encoding/json.
package jsonscan

import (
	"bytes"
	"errors"
	"fmt"
)

// errEnd is the error of text that ends too early.
var errEnd = errors.New("the JSON ends too early")

// Members calls each for every member of an object, with the text of its key, without the quotation marks, and of its value. An
// error of each ends it and is returned.
func Members(object []byte, each func(key, value []byte) error) error {
	return walk(object, '{', '}', func(text []byte) (rest []byte, err error) {
		end, err := endOf(text)
		if err != nil || text[0] != '"' {
			return nil, errors.Join(err, unexpected(text, "a key"))
		}
		key := text[1 : end-1]
		text = bytes.TrimLeft(text[end:], space)
		if len(text) == 0 || text[0] != ':' {
			return nil, unexpected(text, "a colon")
		}
		text = bytes.TrimLeft(text[1:], space)
		end, err = endOf(text)
		if err != nil {
			return nil, err
		}
		return text[end:], each(key, text[:end])
	})
}

// Elements calls each for every element of an array, with its text. null is an array without elements.
func Elements(array []byte, each func(value []byte) error) error {
	if string(bytes.Trim(array, space)) == "null" {
		return nil
	}
	return walk(array, '[', ']', func(text []byte) (rest []byte, err error) {
		end, err := endOf(text)
		if err != nil {
			return nil, err
		}
		return text[end:], each(text[:end])
	})
}

// space is white space (RFC 8259, section 2).
const space = " \t\r\n"

// walk calls next for every item between two brackets, which returns the text after it.
func walk(text []byte, open, end byte, next func(text []byte) (rest []byte, err error)) error {
	text = bytes.TrimLeft(text, space)
	if len(text) == 0 || text[0] != open {
		return unexpected(text, string(open))
	}
	text = bytes.TrimLeft(text[1:], space)
	if len(text) > 0 && text[0] == end {
		return nil
	}
	for {
		rest, err := next(text)
		if err != nil {
			return err
		}
		rest = bytes.TrimLeft(rest, space)
		switch {
		case len(rest) == 0:
			return errEnd
		case rest[0] == end:
			return nil
		case rest[0] != ',':
			return unexpected(rest, "a comma")
		}
		text = bytes.TrimLeft(rest[1:], space)
	}
}

// endOf returns where the value ends that text begins with.
func endOf(text []byte) (int, error) {
	if len(text) == 0 {
		return 0, errEnd
	}
	switch text[0] {
	case '"':
		return endOfString(text)
	case '{', '[':
		return endOfBrackets(text)
	case ',', ':', '}', ']':
		return 0, unexpected(text, "a value")
	}
	end := bytes.IndexAny(text, ",:]}"+space)
	if end < 0 {
		end = len(text)
	}
	return end, nil
}

// endOfString finds the quotation mark that is not escaped.
func endOfString(text []byte) (int, error) {
	for at := 1; ; {
		next := bytes.IndexByte(text[at:], '"')
		if next < 0 {
			return 0, errEnd
		}
		at += next
		escapes := 0
		for text[at-1-escapes] == '\\' { // ends at the first quotation mark at the latest
			escapes++
		}
		at++
		if escapes%2 == 0 {
			return at, nil
		}
	}
}

func endOfBrackets(text []byte) (int, error) {
	depth := 0
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1, nil
			}
		case '"':
			end, err := endOfString(text[at:])
			if err != nil {
				return 0, err
			}
			at += end - 1
		}
	}
	return 0, errEnd
}

func unexpected(text []byte, want string) error {
	const shown = 20
	return fmt.Errorf("%q where the JSON should have %s", text[:min(len(text), shown)], want)
}
