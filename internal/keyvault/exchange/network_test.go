package exchange

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestAnUnreachableProxyIsDistinguishedFromTheVault(t *testing.T) {
	for name, cause := range map[string]error{
		"its name does not resolve": &net.DNSError{Err: "no such host", Name: "proxy.example", IsNotFound: true},
		"it does not listen":        &net.OpError{Op: "dial", Err: errors.New("connection refused")},
	} {
		t.Run(name, func(t *testing.T) {
			reason, why := Diagnose("v", &net.OpError{Op: "proxyconnect", Net: "tcp", Err: cause}) // as net/http wraps it
			if reason != v1alpha1.ReasonVaultUnreachable || !strings.Contains(why, "web proxy") || !strings.Contains(why, "HTTPS_PROXY") {
				t.Errorf("got %s: %s", reason, why)
			}
		})
	}
}

func TestDiagnose(t *testing.T) {
	tests := []struct {
		name  string
		cause error
		want  v1alpha1.Reason
		says  string
	}{
		{"a name server that fails", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", Name: "v"}},
			v1alpha1.ReasonVaultUnreachable, "server misbehaving"},
		{"no response in time", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, v1alpha1.ReasonVaultUnreachable, "no response in time"},
		{"an unknown error", errors.New("stream error"), v1alpha1.ReasonVaultUnreachable, "the connection failed: stream error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, why := Diagnose("v", test.cause); got != test.want || !strings.Contains(why, test.says) {
				t.Errorf("got %s: %s, want %s: %s", got, why, test.want, test.says)
			}
		})
	}
}
