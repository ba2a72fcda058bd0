package winerror

import (
	"regexp"
	"testing"
)

func TestDescribe(t *testing.T) {
	for name, test := range map[string]struct {
		code uint32
		want string
	}{
		"a Win32 code":                        {5, "0x00000005 ERROR_ACCESS_DENIED: Access is denied."},
		"an HRESULT":                          {0x80090016, "0x80090016 NTE_BAD_KEYSET: Keyset does not exist"},
		"an HRESULT with its own name":        {0x80070005, "0x80070005 E_ACCESSDENIED: Access is denied."},
		"an HRESULT of a Win32 code":          {0x80070002, "0x80070002 ERROR_FILE_NOT_FOUND: The system cannot find the file specified."},
		"an unknown code":                     {0x800B0109, "0x800B0109: what the system says"},
		"an unknown Win32 code":               {11004, "0x00002AFC: what the system says"},
		"an HRESULT of an unknown Win32 code": {0x80072AFC, "0x80072AFC: what the system says"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := describe(test.code, "what the system says"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestStatusesHaveOneNameAndAText(t *testing.T) {
	form := regexp.MustCompile(`^(ERROR|RPC_S|E|NTE|CRYPT_E)_[A-Z0-9_]+$`)
	seen := map[string]uint32{}
	for code, status := range statuses {
		if !form.MatchString(status.name) || status.text == "" {
			t.Errorf("0x%08X is %+v", code, status)
		}
		if other, twice := seen[status.name]; twice {
			t.Errorf("0x%08X and 0x%08X are both %s", code, other, status.name)
		}
		seen[status.name] = code
	}
}
