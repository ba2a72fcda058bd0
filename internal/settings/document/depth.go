package document

import "bytes"

// deepest returns the offset of the first bracket that is nested more than MaxDepth levels deep, -1 if there is none. The JSON
// parser is recursive without a bound, and Go ends the process when the stack is exhausted.
func deepest(text []byte) int {
	depth := 0
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '"':
			at = endOfString(text, at)
		case '/':
			at = endOfComment(text, at)
		case '{', '[':
			if depth++; depth > MaxDepth {
				return at
			}
		case '}', ']':
			depth--
		}
	}
	return -1
}

// endOfString returns the offset of the quotation mark that closes the string which begins at an offset.
func endOfString(text []byte, at int) int {
	for at++; at < len(text) && text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at
}

// endOfComment returns the offset of the last character of the comment at an offset, or the offset if there is none.
func endOfComment(text []byte, at int) int {
	var end []byte
	switch rest := text[at:]; {
	case bytes.HasPrefix(rest, []byte("//")):
		end = []byte("\n")
	case bytes.HasPrefix(rest, []byte("/*")):
		end = []byte("*/")
	default:
		return at
	}
	length := bytes.Index(text[at+2:], end)
	if length < 0 {
		return len(text)
	}
	return at + 2 + length + len(end) - 1
}
