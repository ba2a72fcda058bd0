package terminal

import "strings"

// showsUTF8 reports whether characters beyond ASCII are shown as they are. POSIX says so by the first of three variables that is
// set (https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html). A console of Windows takes UTF-16, whatever its
// code page; a pipe there is often read in the code page.
func showsUTF8(system string, terminal bool, variable func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(variable(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return system == "windows" && terminal
}
