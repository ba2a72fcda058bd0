package certstore

import "testing"

func TestMarkIsReadBackAsItWasWritten(t *testing.T) {
	marks := []Mark{
		{Name: "web", UID: "7f0c", Source: SourceOf("https://v/secrets/web"), Version: "0123456789abcdef0123456789abcdef", DeletionPolicy: "Retain", Role: RoleLeaf, Provider: "CNG"},
		{Name: "web.example", UID: "7f0c", Version: "v", DeletionPolicy: "Delete", Role: RoleLeaf, Exportable: true, Provider: "CAPI"},
		{Name: "ca", UID: "7f0c", Version: "v", DeletionPolicy: "Retain", Role: RoleIntermediate},
		{Name: "root", UID: "7f0c", Version: "v", DeletionPolicy: "Retain", Role: RoleTrusted},
	}
	for _, want := range marks {
		got, ours, err := ParseMark(want.String())
		if err != nil || !ours || got != want {
			t.Errorf("%q reads back as %+v, ours %v, error %v", want.String(), got, ours, err)
		}
	}
}

func TestParseMark(t *testing.T) {
	tests := []struct {
		name, line string
		ours, bad  bool
	}{
		{"another tool's description is not ours", "Certificate for the web shop", false, false},
		{"an empty one is not ours", "", false, false},
		{"a description that contains a mark prefix is not ours", "installed by vaultpane/1", false, false},
		{"a later format is ours and an error", "vaultpane/2 role=leaf name=web uid=1", true, true},
		{"a truncated mark is ours and damaged", "vaultpane/1 role=leaf na", true, true},
		{"a mark without a UID is damaged", "vaultpane/1 role=leaf name=web uid= version=v deletion=Retain exportable=false provider=", true, true},
		{"an unknown role is damaged", "vaultpane/1 role=root name=web uid=1", true, true},
		{"an unknown key is ignored", "vaultpane/1 role=leaf name=web uid=1 colour=blue", true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, ours, err := ParseMark(test.line)
			if ours != test.ours || (err != nil) != test.bad {
				t.Errorf("got ours %v, error %v", ours, err)
			}
		})
	}
}
