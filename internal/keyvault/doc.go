// Package keyvault reads certificates' secrets from Azure Key Vault: it checks the URL and the host before any token is requested,
// keeps one client per vault and identity for the life of the process, and turns every failure into one reason of the API's table.
//
// Its parts import downwards only:
//
//	keyvault            URL, allow-list, clients, shared responses, failure → reason
//	keyvault/auth       credentials, token authorities, the challenge; imports exchange
//	keyvault/breaker    circuit breaker, bulkhead and budget of each target; imports recent
//	keyvault/exchange   HTTP transport, transcript, errors; imports recent
//	keyvault/recent     the bounded cache of what was used most recently
package keyvault
