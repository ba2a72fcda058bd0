package winerror

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

func TestNamed(t *testing.T) {
	keyset, denied := windows.Errno(windows.NTE_BAD_KEYSET), windows.ERROR_ACCESS_DENIED
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"the operation comes first": {
			fmt.Errorf("opening the key a: %w", keyset),
			"opening the key a: 0x80090016 NTE_BAD_KEYSET: Keyset does not exist",
		},
		"several codes": {
			errors.Join(fmt.Errorf("one: %w", keyset), fmt.Errorf("%w: two: %w", ErrUnsupported, denied)),
			"one: 0x80090016 NTE_BAD_KEYSET: Keyset does not exist\nnot supported: two: 0x00000005 ERROR_ACCESS_DENIED: Access is denied.",
		},
		"the same code twice": {
			errors.Join(keyset, keyset),
			"0x80090016 NTE_BAD_KEYSET: Keyset does not exist\n0x80090016 NTE_BAD_KEYSET: Keyset does not exist",
		},
		"an error of Go":          {fmt.Errorf("a: %w", syscall.EINVAL), "a: invalid argument"},
		"an error without a code": {errors.New("no code"), "no code"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Named(test.err)
			if got.Error() != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !errors.Is(got, test.err) {
				t.Error("the error is not in the chain any more")
			}
		})
	}
}

func TestAnUnknownCodeHasTheSystemsText(t *testing.T) {
	code := windows.Errno(windows.CERT_E_UNTRUSTEDROOT)
	if got, want := Named(code).Error(), "0x800B0109: "+code.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The numbers equal those of golang.org/x/sys, where it has them.
func TestStatusesHaveWindowsNumbers(t *testing.T) {
	for name, code := range map[string]uint32{
		"ERROR_NONE_MAPPED":            uint32(windows.ERROR_NONE_MAPPED),
		"ERROR_INVALID_SECURITY_DESCR": uint32(windows.ERROR_INVALID_SECURITY_DESCR),
		"ERROR_PRIVILEGE_NOT_HELD":     uint32(windows.ERROR_PRIVILEGE_NOT_HELD),
		"ERROR_NOT_ALL_ASSIGNED":       uint32(windows.ERROR_NOT_ALL_ASSIGNED),
		"ERROR_NO_SUCH_DOMAIN":         uint32(windows.ERROR_NO_SUCH_DOMAIN),
		"RPC_S_SERVER_UNAVAILABLE":     uint32(windows.RPC_S_SERVER_UNAVAILABLE),
		"NTE_BAD_KEYSET":               uint32(windows.NTE_BAD_KEYSET),
		"NTE_BAD_KEYSET_PARAM":         uint32(windows.NTE_BAD_KEYSET_PARAM),
		"NTE_PERM":                     uint32(windows.NTE_PERM),
		"NTE_SILENT_CONTEXT":           uint32(windows.NTE_SILENT_CONTEXT),
		"NTE_TEMPORARY_PROFILE":        uint32(windows.NTE_TEMPORARY_PROFILE),
		"NTE_NOT_SUPPORTED":            uint32(windows.NTE_NOT_SUPPORTED),
		"NTE_DEVICE_NOT_READY":         uint32(windows.NTE_DEVICE_NOT_READY),
		"CRYPT_E_NOT_FOUND":            uint32(windows.CRYPT_E_NOT_FOUND),
		"CRYPT_E_NO_KEY_PROPERTY":      uint32(windows.CRYPT_E_NO_KEY_PROPERTY),
		"CRYPT_E_ASN1_BADTAG":          uint32(windows.CRYPT_E_ASN1_BADTAG),
		"E_ACCESSDENIED":               uint32(windows.E_ACCESSDENIED),
	} {
		if statuses[code].name != name {
			t.Errorf("0x%08X is %q, want %q", code, statuses[code].name, name)
		}
	}
}
