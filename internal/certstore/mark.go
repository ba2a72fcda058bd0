package certstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// markPrefix begins every mark. The format version follows the slash.
const markPrefix = "vaultpane/"

// markVersion is the format that this code writes.
const markVersion = "1"

// Role is the purpose of a certificate, as marks write it.
type Role string

// Roles.
const (
	// RoleLeaf is the role of a certificate with its private key.
	RoleLeaf Role = "leaf"
	// RoleIntermediate is the role of a certificate of a leaf's chain, without a key.
	RoleIntermediate Role = "intermediate"
	// RoleTrusted is the role of a certificate in a trust store, without a key.
	RoleTrusted Role = "trusted"
)

// Mark records that Vaultpane installed a certificate, its owner, and its key options. It is one short line in a property of the
// certificate (Windows) or in its file (directory), so that ownership, history and deletion follow from the store alone.
type Mark struct {
	// Name is the name of the ObservedCertificate.
	Name string
	// UID is its UID, which distinguishes it from an earlier one of the same name.
	UID string
	// Source identifies the URL or the ConfigMap of the certificate, see SourceOf.
	Source string
	// Version is the Key Vault version of the secret, or the hash of the certificates of a ConfigMap.
	Version string
	// Created is when that version was created in the vault, or first installed here from a ConfigMap, in seconds of Unix time; 0 if
	// unknown. It orders versions.
	Created int64
	// Pinned is true if the URL names the version, so no newer one is installed.
	Pinned bool
	// DeletionPolicy is Retain or Delete, as in the last spec, so that it can be applied after the object was deleted.
	DeletionPolicy string
	// Role is the purpose of the certificate.
	Role Role
	// Exportable is true if the private key can be exported from the store.
	Exportable bool
	// Provider is the key storage provider of the key: CNG or CAPI, empty for a certificate without a key.
	Provider string
}

// String returns the line in the store, such as
// "vaultpane/1 role=leaf name=web uid=7f0c… source=9c1d… version=0123… deletion=Retain exportable=false provider=CNG".
func (m Mark) String() string {
	line := fmt.Sprintf("%s%s role=%s name=%s uid=%s source=%s version=%s deletion=%s exportable=%t provider=%s",
		markPrefix, markVersion, m.Role, m.Name, m.UID, m.Source, m.Version, m.DeletionPolicy, m.Exportable, m.Provider)
	if m.Created != 0 {
		line += fmt.Sprintf(" created=%d", m.Created)
	}
	if m.Pinned {
		line += " pinned=true"
	}
	return line
}

// ParseMark parses a mark. ours is false for a line that is not a mark of Vaultpane. A mark of another format version or a damaged
// one is ours and an error: nothing may be concluded from it. Unknown keys are ignored.
func ParseMark(line string) (mark Mark, ours bool, err error) {
	if !strings.HasPrefix(line, markPrefix) {
		return Mark{}, false, nil
	}
	fields := strings.Fields(line)
	if version := strings.TrimPrefix(fields[0], markPrefix); version != markVersion {
		return Mark{}, true, fmt.Errorf("mark has format %q; this version of Vaultpane supports %q", version, markVersion)
	}
	values := map[string]string{}
	for _, field := range fields[1:] {
		key, value, found := strings.Cut(field, "=")
		if !found {
			return Mark{}, true, fmt.Errorf("mark %q is damaged at %q", line, field)
		}
		values[key] = value
	}
	role := Role(values["role"])
	if values["name"] == "" || values["uid"] == "" || !slices.Contains([]Role{RoleLeaf, RoleIntermediate, RoleTrusted}, role) {
		return Mark{}, true, fmt.Errorf("mark %q is damaged: role, name or uid is missing", line)
	}
	created, err := strconv.ParseInt(cmp.Or(values["created"], "0"), 10, 64)
	if err != nil {
		return Mark{}, true, fmt.Errorf("mark %q is damaged: created is not a number of seconds", line)
	}
	return Mark{
		Name: values["name"], UID: values["uid"], Source: values["source"], Version: values["version"], DeletionPolicy: values["deletion"],
		Created: created, Pinned: values["pinned"] == "true",
		Role: role, Exportable: values["exportable"] == "true", Provider: values["provider"],
	}, true, nil
}

// SourceOf hashes the normalized URL of a secret, or the text that identifies a ConfigMap's key, to 16 hexadecimal digits, because a
// mark is one short line.
func SourceOf(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:8])
}
