// Package auth gets tokens for vaults: it reads a vault's challenge, chooses the credential and the token authority, and requests
// one token at a time for each identity. Of the other packages below internal/keyvault it imports exchange only.
package auth
