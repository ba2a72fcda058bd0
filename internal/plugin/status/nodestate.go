package status

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/jsonscan"
)

// NodeState is a NodeCertificateState, read only as far as the views need it. Its entries are those of the text that was read, until
// they are chosen.
type NodeState struct {
	name, agentVersion string
	omitted            v1alpha1.Omitted
	entries            []byte
}

// ReadJSON reads the object without decoding its entries, of which mostly one in a hundred is wanted.
func (s *NodeState) ReadJSON(text []byte) error {
	return jsonscan.Members(text, func(key, value []byte) error {
		switch string(key) {
		case "metadata":
			return s.readName(value)
		case "agentVersion":
			return json.Unmarshal(value, &s.agentVersion)
		case "omitted":
			return json.Unmarshal(value, &s.omitted)
		case "certificates":
			s.entries = value
		}
		return nil
	})
}

func (s *NodeState) readName(metadata []byte) error {
	return jsonscan.Members(metadata, func(key, value []byte) error {
		if string(key) == "name" {
			return json.Unmarshal(value, &s.name)
		}
		return nil
	})
}

// choose decodes the entries of some certificates, or all without names.
func (s *NodeState) choose(wanted []string, each func(v1alpha1.CertificateEntry)) error {
	if s.entries == nil {
		return nil
	}
	return jsonscan.Elements(s.entries, func(text []byte) error {
		if is, err := isOneOf(text, wanted); err != nil || !is {
			return err
		}
		var entry v1alpha1.CertificateEntry
		err := json.Unmarshal(text, &entry)
		if err == nil {
			each(entry)
		}
		return err
	})
}

// isOneOf reports whether the text of an entry has one of the names, or whether there are none. Names of objects are never escaped in
// JSON.
func isOneOf(entry []byte, names []string) (found bool, err error) {
	switch {
	case len(names) == 0:
		return true, nil
	case !slices.ContainsFunc(names, func(name string) bool { return bytes.Contains(entry, []byte(name)) }):
		return false, nil // sooner than by its members
	}
	err = jsonscan.Members(entry, func(key, value []byte) error {
		if string(key) == "name" {
			found = slices.Contains(names, string(bytes.Trim(value, `"`)))
		}
		return nil
	})
	return found, err
}
