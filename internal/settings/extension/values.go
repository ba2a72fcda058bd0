package extension

import (
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// shared are the settings that may be beside the list of certificates, for all, and on an entry.
var shared = []string{"certificateStoreName", "certificateStore", "certificateStoreLocation", "pollingIntervalInS", "keyExportable", "linkOnRenewal", "requireInitialSync", "accounts"}

// value is a setting with its place.
type value struct {
	Source
	is any
}

// values reads the settings of a map; absent ones are left out.
func (r *reader) values(node *document.Node, field string, keys []string) map[string]value {
	read := map[string]value{}
	for _, key := range keys {
		at := member(node, field, key)
		if at.Node.Absent() {
			continue
		}
		is, ok := r.value(key, at)
		if !ok {
			continue
		}
		if key == "certificateStore" { // osProfile's word; the extension's own wins
			key = "certificateStoreName"
			if _, known := read[key]; known {
				continue
			}
		}
		read[key] = value{at, is}
	}
	return read
}

func (r *reader) value(key string, at Source) (any, bool) {
	switch key {
	case "certificateStoreLocation":
		return r.location(at)
	case "pollingIntervalInS":
		return r.interval(at)
	case "accounts":
		return r.accounts(at)
	case "keyExportable", "linkOnRenewal", "requireInitialSync":
		return r.boolean(at)
	default:
		return r.text(at)
	}
}

func (r *reader) text(at Source) (any, bool) {
	if at.Node.Kind != document.String {
		r.problem(at, at.Node.Shown(), "must be a string; put it in quotation marks")
		return nil, false
	}
	return strings.TrimSpace(at.Node.Text), true
}

func (r *reader) location(at Source) (any, bool) {
	plain := strings.NewReplacer("_", "", " ", "").Replace(strings.ToLower(at.Node.Text))
	switch {
	case at.Node.Kind == document.String && plain == "localmachine":
		return "LocalMachine", true
	case at.Node.Kind == document.String && plain == "currentuser":
		return "CurrentUser", true
	}
	r.problem(at, at.Node.Shown(), "must be LocalMachine or CurrentUser (LOCAL_MACHINE and CURRENT_USER mean the same); the directories of the extension for Linux are not supported")
	return nil, false
}

func (r *reader) interval(at Source) (any, bool) {
	if at.Node.Kind == document.String { // a number as PowerShell writes it
		if seconds, err := strconv.ParseInt(strings.TrimSpace(at.Node.Text), 10, 64); err == nil {
			return seconds, true
		}
	}
	if seconds, whole := at.Node.Integer(); whole {
		return seconds, true
	}
	r.problem(at, at.Node.Shown(), `must be a whole number of seconds, as in 3600 or "3600"`)
	return nil, false
}

func (r *reader) boolean(at Source) (any, bool) {
	switch text := strings.ToLower(strings.TrimSpace(at.Node.Text)); {
	case at.Node.Kind != document.Boolean && at.Node.Kind != document.String:
	case text == "true", text == "false":
		return text == "true", true
	}
	r.problem(at, at.Node.Shown(), "must be true or false")
	return nil, false
}

// accounts reads a list, its JSON in a string, or names between commas.
func (r *reader) accounts(at Source) (any, bool) {
	var names []any
	known := map[string]bool{}
	add := func(name string) {
		if name = strings.TrimSpace(name); name != "" && !known[name] {
			names, known[name] = append(names, name), true
		}
	}
	if at.Node.Kind == document.String && strings.HasPrefix(strings.TrimSpace(at.Node.Text), "[") {
		if list, problems := at.Node.Embedded(); len(problems) == 0 {
			at.Node = list
		}
	}
	switch at.Node.Kind {
	case document.String:
		for name := range strings.SplitSeq(at.Node.Text, ",") {
			add(name)
		}
	case document.List:
		for _, item := range items(at) {
			if item.Node.Absent() {
				continue
			}
			if item.Node.Kind != document.String {
				r.problem(item, item.Node.Shown(), "must be the name of a Windows account, a string")
				return nil, false
			}
			add(item.Node.Text)
		}
	default:
		r.problem(at, at.Node.Shown(), "must be a list of Windows accounts")
		return nil, false
	}
	return names, true
}
