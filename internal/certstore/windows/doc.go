// Package windows is Windows' own certificate store (https://learn.microsoft.com/windows/win32/seccrypto/certificate-stores).
// It keeps every promise of certstore.Store.
//
// Vaultpane's mark is the certificate's description (CERT_DESCRIPTION_PROP_ID), which the certificate snap-in shows. The
// private key is in a container of its own, named vaultpane-<thumbprint>, or vaultpane-<thumbprint>-x if it is exportable,
// in the key storage provider (CNG) or the cryptographic service provider (CAPI) that the mark names. So any number of
// attempts leave one container, no two certificates share one, and an option can change while the old key still serves.
//
// Keys are imported by name, and not with PFXImportCertStore: that names the container after the PFX's friendly name, which
// may be another certificate's, or gives it a new GUID with every import.
//
// Under Wine everything works but CNG, which Wine does not have.
package windows
