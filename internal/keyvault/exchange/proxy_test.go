package exchange

import "testing"

func TestIdentityEndpointsOfThisMachineBypassTheProxy(t *testing.T) {
	getenv := func(name string) string {
		return map[string]string{"IDENTITY_ENDPOINT": "http://arc.example:40342/metadata", "MSI_ENDPOINT": "http://[::1]:1/"}[name]
	}
	for host, want := range map[string]bool{
		"169.254.169.254": true, "169.254.130.3": true, "127.0.0.1": true, "fe80::1": true, "ARC.example": true,
		"login.microsoftonline.com": false, "v.vault.azure.net": false, "10.0.0.1": false, "": false,
	} {
		if got := isIdentityEndpoint(host, getenv); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
