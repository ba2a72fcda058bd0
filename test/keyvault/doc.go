// Package keyvault is an HTTPS server that speaks Azure Key Vault's data plane for secrets, with a token endpoint, a
// managed identity endpoint and a CA of its own, for tests, the demo and the benchmark. It answers as Key Vault does, in
// the messages' shape too, and can be told to fail in every way that Key Vault and the network before it do. It listens on
// 127.0.0.1 only.
//
// Sources: https://learn.microsoft.com/rest/api/keyvault/secrets and
// https://learn.microsoft.com/azure/key-vault/general/rest-error-codes.
package keyvault
