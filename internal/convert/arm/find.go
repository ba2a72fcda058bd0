package arm

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

const deployments = "Microsoft.Resources/deployments"

// turnOf is a symbolic name of a resource with a loop, and which turn of it is meant: site[2].
var turnOf = regexp.MustCompile(`^(.+)\[([0-9]{1,6})\]$`)

// find returns a resource of this template, or of one around whose names are used, and the scope in which it is evaluated: by its
// symbolic name or its name, a deployment also by its id. Without one, the resource is nil.
func (s *scope) find(id string) (raw *document.Node, at *scope) {
	for around := s; around != nil; around = around.outer {
		all := around.template.Fold("resources").Node
		if all == nil {
			continue
		}
		if raw, at := around.bySymbol(all, id); raw != nil {
			return raw, at
		}
		for _, item := range all.Items {
			if at := around.byName(item, id); at != nil {
				return item, at
			}
		}
	}
	return nil, nil
}

func (s *scope) bySymbol(all *document.Node, id string) (raw *document.Node, at *scope) {
	if raw = all.Fold(id).Node; raw != nil {
		return raw, s
	}
	parts := turnOf.FindStringSubmatch(id)
	if parts == nil || all.Fold(parts[1]).Node == nil {
		return nil, nil
	}
	raw = all.Fold(parts[1]).Node
	index, _ := strconv.ParseInt(parts[2], 10, 64)
	return raw, s.within(loop{textOf(raw.Fold("copy").Node, "name"), integer(index), true})
}

// byName returns the scope in which a resource has a name, or a deployment an id; nil if it has another.
func (s *scope) byName(item *document.Node, id string) *scope {
	if strings.Contains(strings.ToLower(id), "/providers/") {
		if !strings.EqualFold(textOf(item, "type"), deployments) || !strings.Contains(strings.ToLower(id), strings.ToLower("/"+deployments+"/")) {
			return nil
		}
		id = id[strings.LastIndex(id, "/")+1:]
	}
	for _, turn := range s.turns(item) {
		if named := turn.tree(document.NewString(textOf(item, "name"), 1)); !isUnresolved(named) && strings.EqualFold(named.Text, id) {
			return turn
		}
	}
	return nil
}

// turns returns the scopes of a resource: one for each turn of its loop.
func (s *scope) turns(raw *document.Node) []*scope {
	loops := raw.Fold("copy").Node
	if loops == nil || loops.Kind != document.Map {
		return []*scope{s}
	}
	count, _ := s.count(loops)
	turns := make([]*scope, count)
	for i := range turns {
		turns[i] = s.within(loop{textOf(loops, "name"), integer(int64(i)), true})
	}
	return turns
}
