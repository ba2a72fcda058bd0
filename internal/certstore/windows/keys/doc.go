// Package keys keeps private keys in Windows' key storage: containers of the cryptographic service provider (CAPI) and keys of
// the key storage provider (CNG), the blobs in which they are imported, and their access lists.
//
// A container is named after the certificate, vaultpane-<thumbprint>, with -x appended when the key is exportable. Any number
// of retries reaches the same container, and no two certificates share one.
package keys
