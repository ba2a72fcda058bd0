package arm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// expression is a literal, a call or an access.
type expression any

// literal is a string or a number in an expression.
type literal struct{ value *document.Node }

// call is a function with its arguments. The name is in lower case, and has its namespace in front if there is one.
type call struct {
	name      string
	arguments []expression
}

// access is a property or an element of a value. A safe one (.? and [?) is null where there is none.
type access struct {
	of, key expression
	safe    bool
}

// deepest bounds how expressions may be nested. Templates have at most some 20 levels.
const deepest = 100

// Is reports whether a string is an expression: [ ... ], but not [[, which stands for a bracket.
func Is(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") && !strings.HasPrefix(text, "[[") && len(text) > 2
}

// parse reads an expression with its brackets.
func parse(text string) (expression, error) {
	text = strings.TrimSpace(text)
	p := &parser{rest: text[1 : len(text)-1]}
	parsed, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.blanks(); p.rest != "" {
		return nil, fmt.Errorf("%q is left over", p.rest)
	}
	return parsed, nil
}

// parser reads an expression by recursive descent.
type parser struct {
	rest  string
	depth int
}

var errTooDeep = errors.New("it is nested too deeply")

func (p *parser) blanks() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take removes a token from the beginning, and reports whether it was there.
func (p *parser) take(token string) bool {
	p.blanks()
	rest, found := strings.CutPrefix(p.rest, token)
	if found {
		p.rest = rest
	}
	return found
}

func (p *parser) expression() (expression, error) {
	if p.depth++; p.depth > deepest {
		return nil, errTooDeep
	}
	defer func() { p.depth-- }()
	value, err := p.primary()
	for steps := 0; err == nil; steps++ {
		if steps > deepest {
			return nil, errTooDeep
		}
		key, safe, more, wrong := p.accessor()
		if wrong != nil || !more {
			return value, wrong
		}
		value = access{of: value, key: key, safe: safe}
	}
	return nil, err
}

func (p *parser) primary() (expression, error) {
	p.blanks()
	switch {
	case p.rest == "":
		return nil, errors.New("it ends too early")
	case p.rest[0] == '\'':
		return p.text()
	case p.rest[0] == '-' || p.rest[0] >= '0' && p.rest[0] <= '9':
		return p.number()
	}
	return p.call()
}

// text reads a string. Two apostrophes stand for one.
func (p *parser) text() (expression, error) {
	var text strings.Builder
	for rest := p.rest[1:]; ; {
		end := strings.IndexByte(rest, '\'')
		if end < 0 {
			return nil, errors.New("a closing apostrophe is missing")
		}
		text.WriteString(rest[:end])
		if rest = rest[end+1:]; !strings.HasPrefix(rest, "'") {
			p.rest = rest
			return literal{document.NewString(text.String(), 1)}, nil
		}
		text.WriteByte('\'')
		rest = rest[1:]
	}
}

func (p *parser) number() (expression, error) {
	end := 1
	for end < len(p.rest) && p.rest[end] >= '0' && p.rest[end] <= '9' {
		end++
	}
	number, err := strconv.ParseInt(p.rest[:end], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no number", p.rest[:end])
	}
	p.rest = p.rest[end:]
	return literal{document.NewInteger(number, 1)}, nil
}

func (p *parser) call() (expression, error) {
	name := p.word()
	if name == "" {
		return nil, fmt.Errorf("%q is not expected", p.rest[:1])
	}
	if strings.HasPrefix(p.rest, ".") { // a function of the template's own has a namespace
		p.rest = p.rest[1:]
		name += "." + p.word()
	}
	if !p.take("(") {
		return nil, fmt.Errorf("%s lacks its parentheses", name)
	}
	made := call{name: strings.ToLower(name)}
	if p.take(")") {
		return made, nil
	}
	for {
		argument, err := p.expression()
		if err != nil {
			return nil, err
		}
		made.arguments = append(made.arguments, argument)
		if p.take(")") {
			return made, nil
		}
		if !p.take(",") {
			return nil, fmt.Errorf("%s lacks a comma or a closing parenthesis", name)
		}
	}
}

func (p *parser) word() string {
	p.blanks()
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return r != '_' && r != '$' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// accessor reads .name, .?name, [key] or [?key].
func (p *parser) accessor() (key expression, safe, more bool, err error) {
	switch {
	case p.take("."):
		safe = p.take("?")
		name := p.word()
		if name == "" {
			return nil, false, false, errors.New("a name is missing after a full stop")
		}
		return literal{document.NewString(name, 1)}, safe, true, nil
	case p.take("["):
		safe = p.take("?")
		if key, err = p.expression(); err == nil && !p.take("]") {
			err = errors.New("a closing bracket is missing")
		}
		return key, safe, err == nil, err
	}
	return nil, false, false, nil
}
