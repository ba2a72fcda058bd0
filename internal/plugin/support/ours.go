package support

import "strings"

// ofOurGroup keeps the CRDs of Vaultpane.
func ofOurGroup(object map[string]any) map[string]any {
	if strings.HasSuffix(field(object, "name"), ".vaultpane.dev") {
		return object
	}
	return nil
}

// ofOurName keeps the policies of Vaultpane.
func ofOurName(object map[string]any) map[string]any {
	if strings.HasPrefix(field(object, "name"), "vaultpane-") {
		return object
	}
	return nil
}
