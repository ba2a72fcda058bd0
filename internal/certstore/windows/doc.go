// Package windows implements certstore.Store and certstore.Machine with Windows' own certificate stores
// (https://learn.microsoft.com/windows/win32/seccrypto/certificate-stores).
//
// Vaultpane's mark is the certificate's description (CERT_DESCRIPTION_PROP_ID), which the certificate snap-in shows. The private
// key has its own container in the key storage provider (CNG) or the cryptographic service provider (CAPI) that the mark names,
// see the package keys. The packages httpsys and switchcert read TLS bindings and announce replaced certificates.
//
// Keys are imported by name, and not with PFXImportCertStore: that function names the container after the PFX's friendly name,
// which may be another certificate's, or gives it a new GUID at every import.
//
// Everything works under Wine except CNG, for which hack/wine has a stand-in.
package windows
