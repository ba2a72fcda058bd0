package document

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

var (
	position = regexp.MustCompile(`^hujson: line ([0-9]+), column ([0-9]+): (?s)(.*)$`)
	escape   = regexp.MustCompile(`^"(?:[^"\\\n]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*(\\[^\n]?)`)
)

// describe says what is wrong with the JSON without repeating its values.
func describe(text []byte, err error) *jsonFailure {
	failure := &jsonFailure{Problem: Problem{Line: 1, Text: "the file is not valid JSON: " + err.Error()}}
	parts := position.FindStringSubmatch(err.Error())
	if parts == nil {
		return failure
	}
	failure.Line, _ = strconv.Atoi(parts[1])
	column, _ := strconv.Atoi(parts[2])
	lines := bytes.Split(text, []byte("\n"))
	rest := lines[failure.Line-1][column-1:]
	failure.Line = min(failure.Line, len(lines)-1) // the last is behind the line end that parseJSON added
	failure.inString = len(rest) > 0 && rest[0] == '"' && strings.HasPrefix(parts[3], "invalid literal")
	failure.Text = "the JSON is not valid in column " + parts[2] + ": " + reason(parts[3], rest)
	if strings.HasSuffix(parts[3], "unexpected EOF") {
		failure.Text = "the JSON ends too early (" + strings.TrimSuffix(parts[3], ": unexpected EOF") + "); the file may be half written, or a quotation mark or bracket is missing"
	}
	return failure
}

// reason puts the parser's words right; rest is the line from the place on.
func reason(text string, rest []byte) string {
	switch wrong := escape.FindSubmatch(rest); {
	case !strings.HasPrefix(text, "invalid literal"):
		return text + "; a comma, a quotation mark or a bracket may be missing before"
	case len(rest) == 0 || rest[0] != '"':
		return "a word that is not in quotation marks and not true, false or null"
	case wrong != nil && len(wrong[1]) > 1:
		return "the string has " + string(wrong[1]) + ", which JSON does not know; write two backslashes for one"
	default:
		return `the string has a line break or a control character; write \n, or close its quotation mark`
	}
}
