package jsonscan

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read reads a value through this package down to what is neither an object nor an array.
func read(text []byte) (any, error) {
	switch {
	case len(text) > 0 && text[0] == '{':
		object := map[string]any{}
		err := Members(text, func(key, value []byte) error {
			var name string
			if err := json.Unmarshal(fmt.Appendf(nil, `"%s"`, key), &name); err != nil {
				return err
			}
			member, err := read(value)
			object[name] = member
			return err
		})
		return object, err
	case len(text) > 0 && text[0] == '[':
		array := []any{}
		err := Elements(text, func(value []byte) error {
			element, err := read(value)
			array = append(array, element)
			return err
		})
		return array, err
	}
	var value any
	err := json.Unmarshal(text, &value)
	return value, err
}

var examples = []string{
	`{}`, `[]`, `null`, `[1,"a",true,null,[],{}]`, `{"a":{"b":["}","]"]},"c":"\"","d":"\\","e":"\\\""}`,
	" { \"a\" : [ 1 , 2 ]\n, \"b\"\t: {} } ", `{"metadata":{"name":"web"},"certificates":[{"name":"a","message":"{\"name\":\"b\"}"}]}`,
}

func TestValuesAreThoseOfEncodingJSON(t *testing.T) {
	for _, text := range examples {
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		got, err := read([]byte(trimmed(text)))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, difference:\n%s", text, err, diff)
		}
	}
}

func TestWhatIsNoJSONIsAnError(t *testing.T) {
	for _, text := range []string{``, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{a:1}`, `{"a" 1}`, `{"a":"b`, `{"a":"b\"}`, `[1 2]`, `<html>`, `{"a":}`} {
		if err := Members([]byte(text), func([]byte, []byte) error { return nil }); err == nil {
			t.Errorf("%s is an object", text)
		}
	}
	if err := Elements([]byte(`{}`), func([]byte) error { return nil }); err == nil {
		t.Error("an object is an array")
	}
	if err := Elements([]byte(` null `), func([]byte) error { return nil }); err != nil {
		t.Errorf("null is no array: %v", err)
	}
}

// FuzzScan holds that what encoding/json accepts is read the same, and that nothing panics.
func FuzzScan(f *testing.F) {
	for _, text := range examples {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := read([]byte(trimmed(text)))
		var want any
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: error %v, difference:\n%s", text, err, diff)
		}
	})
}

// trimmed is a text without white space around it, which read does not expect.
func trimmed(text string) string {
	var raw json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return text
	}
	return string(raw)
}
