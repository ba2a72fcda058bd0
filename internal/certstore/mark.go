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

// markPrefix begins every mark. The number behind the slash is the version of the format.
const markPrefix = "vaultpane/"

// markVersion is the format that this code writes.
const markVersion = "1"

// Role says what a certificate is there for. Marks write it as it is.
type Role string

// Roles.
const (
	// RoleLeaf is the role of a certificate that is served with its private key.
	RoleLeaf Role = "leaf"
	// RoleIntermediate is the role of a certificate of the chain, which came along with a leaf and has no key.
	RoleIntermediate Role = "intermediate"
	// RoleTrusted is the role of a certificate in a store that holds trust, without a key.
	RoleTrusted Role = "trusted"
)

// Mark says that Vaultpane installed a certificate, for whom, and how its key is kept. It is one short line in a property
// of the certificate (Windows) or beside it (directory), so that ownership, history and deletion follow from the store.
type Mark struct {
	// Name is the name of the ObservedCertificate.
	Name string
	// UID is its UID, which tells it from an earlier one of the same name.
	UID string
	// Source stands for the URL that the certificate came from, see SourceOf.
	Source string
	// Version is the Key Vault version of the secret that the certificate came from.
	Version string
	// Created is when the vault made that version, in seconds of Unix time; 0 where that is not known. It orders versions.
	Created int64
	// Pinned is true where the URL names the version: no newer one follows.
	Pinned bool
	// DeletionPolicy is Retain or Delete, as the ObservedCertificate last said, so that it can be followed after the
	// object is gone.
	DeletionPolicy string
	// Role says what the certificate is there for.
	Role Role
	// Exportable says whether the private key may leave the store again.
	Exportable bool
	// Provider is the key storage provider that holds the key: CNG or CAPI, empty for a certificate without key.
	Provider string
}

// String returns the line that is kept in the store, such as
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

// ParseMark reads a mark. ours is false for a line that is no mark of Vaultpane's. A mark of another format version, or a
// damaged one, is ours and an error: nothing may be concluded from it. Keys it does not know are passed over.
func ParseMark(line string) (mark Mark, ours bool, err error) {
	if !strings.HasPrefix(line, markPrefix) {
		return Mark{}, false, nil
	}
	fields := strings.Fields(line)
	if version := strings.TrimPrefix(fields[0], markPrefix); version != markVersion {
		return Mark{}, true, fmt.Errorf("mark has format %q, this version of Vaultpane knows %q", version, markVersion)
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
		return Mark{}, true, fmt.Errorf("mark %q is damaged: created is no number of seconds", line)
	}
	return Mark{
		Name: values["name"], UID: values["uid"], Source: values["source"], Version: values["version"], DeletionPolicy: values["deletion"],
		Created: created, Pinned: values["pinned"] == "true",
		Role: role, Exportable: values["exportable"] == "true", Provider: values["provider"],
	}, true, nil
}

// SourceOf shortens a secret's URL, in its shortest form, to 16 hexadecimal digits: a mark is one short line.
func SourceOf(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:8])
}
