// Package e2eprograms tests programs that know nothing of Vaultpane with the certificates that it installed: a server and a client of
// Schannel in C, a Go program with another project's library, and .NET. The Windows agent runs without a cluster, under Wine, against a
// Key Vault endpoint over TLS; a certificate is renewed with a link. `make e2e` and `make test-wine10` run it. Tests that need Wine 10
// skip themselves under an older one, and say why.
package e2eprograms
