// Package keyvault is an HTTPS server with the protocol of Azure Key Vault's data plane for secrets, a token endpoint, a
// managed identity endpoint and a CA of its own, for tests, the demo and the benchmark. Its responses have the form of Key
// Vault's, and it can fail in every way in which Key Vault and the network do. It listens on 127.0.0.1 only.
//
// Sources: https://learn.microsoft.com/rest/api/keyvault/secrets and
// https://learn.microsoft.com/azure/key-vault/general/rest-error-codes.
package keyvault
