package main

import "encoding/base64"

// hives are the registry hives that Windows looks for in the lowest layer of an image. A HostProcess container uses the
// host's registry, so they are empty; Windows Server 2025 refuses files that are no hives
// (https://github.com/microsoft/windows-host-process-containers-base-image).
var hives = []string{"DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"}

// windowsBase is the lowest layer. Microsoft's base image for HostProcess containers has the same files.
func windowsBase() []entry {
	entries := []entry{windowsFolder("Files/"), windowsFolder("Files/Windows/"), windowsFolder("Files/Windows/System32/"), windowsFolder("Files/Windows/System32/config/")}
	for _, name := range hives {
		entries = append(entries, windowsFile("Files/Windows/System32/config/"+name, emptyHive()))
	}
	return entries
}

func windowsProgram(name string, program, licence []byte) []entry {
	return []entry{
		windowsFolder("Files/"),
		windowsFile("Files/LICENSE", licence),
		windowsFile("Files/"+name, program),
		windowsFolder("Hives/"), // what changes the registry: nothing
	}
}

// Attributes of files (https://learn.microsoft.com/windows/win32/fileio/file-attribute-constants).
const (
	attributeDirectory = "16" // FILE_ATTRIBUTE_DIRECTORY
	attributeArchive   = "32" // FILE_ATTRIBUTE_ARCHIVE
)

func windowsFolder(name string) entry {
	return entry{name: name, mode: 0o755, records: windowsRecords(attributeDirectory, inherited)}
}

func windowsFile(name string, content []byte) entry {
	return entry{name: name, mode: 0o755, content: content, records: windowsRecords(attributeArchive, 0)}
}

// windowsRecords are what hcsshim reads from an archive (https://github.com/microsoft/go-winio/blob/main/backuptar/tar.go).
// Without an access list of its own a program that SYSTEM runs could be written by others.
func windowsRecords(attributes string, flags byte) map[string]string {
	return map[string]string{
		"MSWINDOWS.fileattr": attributes,
		"MSWINDOWS.rawsd":    base64.StdEncoding.EncodeToString(fileDescriptor(flags)),
	}
}
