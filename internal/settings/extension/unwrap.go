package extension

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// Keys of the settings' outer levels.
const (
	secrets        = "secretsManagementSettings"
	authentication = "authenticationSettings"
	observed       = "observedCertificates"
)

// wrappers are what templates, tools and machines put around the settings, in the order of preference.
var wrappers = []string{"properties", "osProfile", "settings", "publicSettings", "handlerSettings"}

// levels bounds how many wrappers may be within each other. A resource needs three.
const levels = 10

// found are the settings with what was found on the way to them.
type found struct {
	settings   *document.Node
	field      string
	identities []Source // values of authenticationSettings, outermost first
}

// unwrap finds secretsManagementSettings, or nil with a problem.
func (r *reader) unwrap(root *document.Node) *found {
	at, result := Source{Line: root.Line, Node: root}, &found{}
	for range levels {
		if at.Node = r.asMap(at, what); at.Node == nil || !r.rightType(at) {
			return nil
		}
		result.settings, result.field = at.Node, at.Field
		for _, key := range []string{authentication, "authenticationLocationSettings"} {
			if identity := member(at.Node, at.Field, key); !identity.Node.Absent() {
				result.identities = append(result.identities, identity)
			}
		}
		inner := r.inner(at)
		if inner.Node == nil {
			return result
		}
		at = inner
	}
	r.problem(at, "", "is within more than %d levels of wrapping; give secretsManagementSettings and authenticationSettings alone", levels)
	return nil
}

// inner returns the next level, without a Node if this level has the list of certificates itself.
func (r *reader) inner(at Source) Source {
	if settings := member(at.Node, at.Field, secrets); !settings.Node.Absent() {
		r.known(at.Node, at.Field, "a setting of the Key Vault VM extension for Windows", append([]string{secrets, authentication, "authenticationLocationSettings", "logonType"}, wrappers...))
		return settings
	}
	if list := member(at.Node, at.Field, "runtimeSettings"); list.Node != nil && list.Node.Kind == document.List && len(list.Node.Items) > 0 {
		return items(list)[0] // a machine's file 0.settings
	}
	for _, key := range wrappers {
		if inner := member(at.Node, at.Field, key); !inner.Node.Absent() {
			if identity := at.Node.Fold(authentication); !identity.Absent() {
				r.note(member(at.Node, at.Field, authentication), "belongs into %s, where the extension reads it; it is used nevertheless", inner.Field)
			}
			return inner
		}
	}
	return Source{}
}

// what the settings are, in messages.
const what = "a map, the extension's settings, as 'az vm extension show --query settings' prints them"

// asMap returns a map, also one that is JSON in a string, or in a string within a string. It returns nil with a problem
// otherwise.
func (r *reader) asMap(at Source, must string) *document.Node {
	for range 4 {
		if at.Node.Kind != document.String {
			break
		}
		text := strings.TrimSpace(strings.TrimPrefix(at.Node.Text, "\ufeff"))
		if strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "@{") {
			r.problem(at, document.Shown(text), "is a file name in the syntax of az; give that file instead")
			return nil
		}
		if text == "" || !strings.ContainsAny(text[:1], `{["'/`) {
			r.problem(at, "", "is text but not JSON, which begins with { and ends with }; must be %s", must)
			return nil
		}
		parsed, problems := at.Node.Embedded()
		for _, problem := range problems {
			r.problem(Source{Field: at.Field, Line: problem.Line}, "", "is a string that cannot be read: %s", problem.Text)
		}
		if parsed == nil {
			return nil
		}
		at.Node = parsed
	}
	if at.Node.Kind != document.Map {
		r.problem(at, "", "is %s, must be %s", at.Node.Kind, must)
		return nil
	}
	return at.Node
}

// rightType rejects the settings of another extension, as `az vm extension list` and templates have them.
func (r *reader) rightType(at Source) bool {
	for _, key := range []string{"type", "typePropertiesType", "typeHandlerName", "virtualMachineExtensionType", "extensionType"} {
		value := member(at.Node, at.Field, key)
		if value.Node == nil || value.Node.Kind != document.String {
			continue
		}
		switch kind := strings.ToLower(strings.TrimSpace(value.Node.Text)); {
		case kind == "keyvaultforlinux":
			r.problem(value, value.Node.Shown(), "the Key Vault VM extension for Linux has settings that name directories; use the settings of KeyVaultForWindows")
			return false
		case strings.HasPrefix(kind, "keyvaultfor") && kind != "keyvaultforwindows":
			r.problem(value, value.Node.Shown(), "the settings of this extension differ; use those of KeyVaultForWindows")
			return false
		}
	}
	return true
}
