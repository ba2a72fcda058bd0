// Package keyvault reads certificates' secrets from Azure Key Vault: it checks the URL and the host before any token is
// requested, keeps one client per vault and identity for the life of the process, and turns every failure into one
// reason of the API's table.
package keyvault
