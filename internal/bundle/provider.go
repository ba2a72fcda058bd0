package bundle

import (
	"slices"
	"strings"
)

// capiProviders are the CryptoAPI providers that come with Windows and hold RSA keys in software
// (https://learn.microsoft.com/windows/win32/seccrypto/cryptographic-provider-names). EC keys exist in CNG only, and the
// provider of a smart card imports no key from a file.
var capiProviders = []string{
	"Microsoft Base Cryptographic Provider v1.0",            // MS_DEF_PROV
	"Microsoft Strong Cryptographic Provider",               // MS_STRONG_PROV
	"Microsoft Enhanced Cryptographic Provider v1.0",        // MS_ENHANCED_PROV
	"Microsoft Enhanced RSA and AES Cryptographic Provider", // MS_ENH_RSA_AES_PROV
	"Microsoft RSA SChannel Cryptographic Provider",         // MS_DEF_RSA_SCHANNEL_PROV
}

// CAPIProvider reports whether a PFX that names this key storage provider asks for CryptoAPI instead of CNG. Windows decides
// by the name when PFXImportCertStore is called with PKCS12_PREFER_CNG_KSP
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-pfximportcertstore): a provider that the PFX names is
// used, otherwise CNG. So it is true for the names of CryptoAPI's providers, whatever their letter case, and false for
// "Microsoft Software Key Storage Provider", for an empty name, and for names that do not come with Windows: a provider of another
// vendor may be missing on the node. No CryptoAPI provider supports EC keys, whatever the PFX names.
func CAPIProvider(name string) bool {
	return slices.ContainsFunc(capiProviders, func(known string) bool { return strings.EqualFold(known, name) })
}
