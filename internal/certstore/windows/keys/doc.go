// Package keys keeps private keys in Windows' key storage: containers of the cryptographic service provider (CAPI) and keys of
// the key storage provider (CNG), the blobs in which they are imported, and their access lists.
//
// A container is named after the certificate, vaultpane-<thumbprint>, with -x appended if the key is exportable. So retries use the
// same container, no two certificates share one, and a key option can change while the old key is still in use.
package keys
