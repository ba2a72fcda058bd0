// Package e2eprograms has other people's kind of program use what the agent installed: a server and a client of Schannel in C, a Go
// program with a library that is not ours, and .NET. The Windows agent runs without a cluster, under Wine, against a Key Vault over TLS;
// a certificate is renewed with a link. `make test-wine10` runs it. Tests that need Wine 10 skip themselves under an older one, and say
// why.
package e2eprograms
