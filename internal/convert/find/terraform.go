package find

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// terraform looks at what `terraform show -json` prints of a plan or a state, and at a state's file. Of a plan, what is planned
// counts; what was, and what changes, are the same resources again.
func (f *Finder) terraform(n *document.Node, a around) bool {
	isText := n.Get("format_version") != nil
	planned, values := n.Get("planned_values"), n.Get("values")
	switch {
	case isText && planned != nil:
		f.Known = true
		f.module(planned.Get("root_module"), a.at("planned_values.root_module", planned.Line))
		f.read(n.Get("prior_state").Get("values").Get("root_module"), 0)
	case isText && values != nil:
		f.Known = true
		f.module(values.Get("root_module"), a.at("values.root_module", values.Line))
	case n.Get("terraform_version") != nil && n.Get("lineage") != nil && n.Get("resources") != nil:
		f.Known = true
		f.state(n.Get("resources"), a)
	default:
		if !isText || n.Get("terraform_version") == nil && len(n.Members) > 1 {
			return false
		}
		f.Known = true // of nothing
	}
	return true
}

// module looks at the resources of a module and of those within it.
func (f *Finder) module(n *document.Node, a around) {
	if n == nil || a.depth > deepest {
		return
	}
	if resources := n.Get("resources"); resources != nil {
		for _, resource := range resources.Items {
			switch values := resource.Get("values"); {
			case values == nil || resource.Get("deposed_key") != nil: // or replaced already, and not removed yet
			case textOf(resource, "mode") == "data":
				f.identities(values)
			default:
				f.resource(textOf(resource, "address"), textOf(resource, "type"), values, a)
			}
		}
	}
	if modules := n.Get("child_modules"); modules != nil {
		for i, module := range modules.Items {
			f.module(module, a.at(fmt.Sprintf("child_modules[%d]", i), module.Line))
		}
	}
}

// read remembers the identities that Terraform has read, of a module and of those within it. Of a plan they are in the state before.
func (f *Finder) read(module *document.Node, depth int) {
	if module == nil || depth > deepest {
		return
	}
	if resources := module.Get("resources"); resources != nil {
		for _, resource := range resources.Items {
			f.identities(resource.Get("values"))
		}
	}
	if modules := module.Get("child_modules"); modules != nil {
		for _, inner := range modules.Items {
			f.read(inner, depth+1)
		}
	}
}

// state looks at the resources of a state's file.
func (f *Finder) state(resources *document.Node, a around) {
	for _, resource := range resources.Items {
		instances := resource.Get("instances")
		if instances == nil {
			continue
		}
		address := strings.TrimPrefix(textOf(resource, "module")+"."+textOf(resource, "type")+"."+textOf(resource, "name"), ".")
		for _, instance := range instances.Items {
			with := address
			if key := instance.Get("index_key"); key != nil {
				if with = address + "[" + key.Text + "]"; key.Kind == document.String {
					with = fmt.Sprintf("%s[%q]", address, key.Text)
				}
			}
			switch attributes := instance.Get("attributes"); {
			case attributes == nil || instance.Get("deposed") != nil: // or replaced already, and not removed yet
			case textOf(resource, "mode") == "data":
				f.identities(attributes)
			default:
				f.resource(with, textOf(resource, "type"), attributes, a)
			}
		}
	}
}

// resource looks at one resource of Terraform, which its address names.
func (f *Finder) resource(address, kind string, values *document.Node, a around) {
	a.Path, a.Line, a.terraform = address, values.Line, true
	a.machine = Machine{Key: "terraform/" + address, Name: address}
	a.linux = strings.Contains(kind, "linux") || isLinux(values, 0)
	if strings.HasSuffix(kind, "_virtual_machine") || strings.HasSuffix(kind, "_scale_set") {
		if name := textOf(values, "name"); name != "" {
			a.machine.Name = name
		}
	}
	if machine, is := ofID(textOf(values, "virtual_machine_id", "virtual_machine_scale_set_id", "arc_machine_id", "parent_id", "id")); is {
		a.machine = machine
	}
	if f.extension(values, a) {
		return
	}
	if content := lookup(values, "template_content", "template_body"); content.Node != nil {
		f.deployment(values, content, a)
		return
	}
	f.identities(values)
	f.osProfile(values, a)
	f.children(values, a)
}
