package auth

import "testing"

func TestAuthorityFor(t *testing.T) {
	const (
		public, china, government = "https://login.microsoftonline.com/", "https://login.chinacloudapi.cn/", "https://login.microsoftonline.us/"
		stack                     = "https://login.stack.example/"
	)
	tests := []struct {
		name, host, flag, environment, want string
	}{
		{"a vault of the public cloud", "v.vault.azure.net", "", "", public},
		{"of China", "v.vault.azure.cn", "", "", china},
		{"of US Government", "v.vault.usgovcloudapi.net", "", "", government},
		{"of an unknown cloud", "v.vault.stack.example", "", "", public},
		{"the webhook names the authority of the same cloud", "v.vault.azure.cn", "", "https://login.partner.microsoftonline.cn/", "https://login.partner.microsoftonline.cn/"},
		{"the webhook names that of another cloud", "v.vault.usgovcloudapi.net", "", public, government},
		{"the webhook's holds for a custom suffix", "vault.bank.example", "", government, government},
		{"a private cloud's authority holds for every vault", "v.vault.azure.net", "", stack, stack},
		{"the flag has precedence", "v.vault.azure.cn", stack, public, stack},
		{"a name that only looks like one", "v.vault.azure.cn.example", "", "", public},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := AuthorityFor(test.host, test.flag, test.environment); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestCheckAuthority(t *testing.T) {
	for authority, ok := range map[string]bool{
		"https://login.microsoftonline.us/": true, "https://login.microsoftonline.us": true, "https://127.0.0.1:8443/": true,
		"login.microsoftonline.us": false, "http://login.microsoftonline.us/": false, "https://": false,
		"https://login.microsoftonline.us/tenant": false, "https://u:p@login.microsoftonline.us/": false, "https://h/?x": false,
	} {
		if err := CheckAuthority(authority); (err == nil) != ok {
			t.Errorf("%s: got %v, want it accepted: %v", authority, err, ok)
		}
	}
}
