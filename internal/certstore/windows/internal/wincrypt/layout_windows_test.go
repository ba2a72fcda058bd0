package wincrypt

import (
	"testing"
	"unsafe"

	"github.com/vaultpane/vaultpane/test/winetest"
)

func TestLayoutOfDeclarations(t *testing.T) {
	var provider CryptKeyProvInfo
	var buffer NCryptBuffer
	var list NCryptBufferDesc
	var name NCryptKeyName
	winetest.Layout(t, []string{"winsock2.h", "windows.h", "wincrypt.h", "bcrypt.h", "ncrypt.h", "http.h"}, map[string]uint64{
		"CERT_KEY_PROV_INFO_PROP_ID": CERT_KEY_PROV_INFO_PROP_ID, "CERT_FRIENDLY_NAME_PROP_ID": CERT_FRIENDLY_NAME_PROP_ID,
		"CERT_DESCRIPTION_PROP_ID": CERT_DESCRIPTION_PROP_ID, "CERT_RENEWAL_PROP_ID": CERT_RENEWAL_PROP_ID,
		"PP_ENUMCONTAINERS": PP_ENUMCONTAINERS, "PP_KEYSET_SEC_DESCR": PP_KEYSET_SEC_DESCR, "CRYPT_FIRST": CRYPT_FIRST, "CRYPT_NEXT": CRYPT_NEXT,
		"HTTP_INITIALIZE_CONFIG": HTTP_INITIALIZE_CONFIG, "HttpServiceConfigSSLCertInfo": HttpServiceConfigSSLCertInfo,
		"CERT_STORE_CTRL_COMMIT": CERT_STORE_CTRL_COMMIT, "CERT_STORE_CTRL_COMMIT_FORCE_FLAG": CERT_STORE_CTRL_COMMIT_FORCE_FLAG,
		"NCRYPT_MACHINE_KEY_FLAG": NCRYPT_MACHINE_KEY_FLAG, "NCRYPT_SILENT_FLAG": NCRYPT_SILENT_FLAG, "NCRYPT_OVERWRITE_KEY_FLAG": NCRYPT_OVERWRITE_KEY_FLAG,
		"NCRYPT_ALLOW_EXPORT_FLAG": NCRYPT_ALLOW_EXPORT_FLAG, "NCRYPTBUFFER_PKCS_KEY_NAME": NCRYPTBUFFER_PKCS_KEY_NAME,
		"NCRYPTBUFFER_VERSION": NCRYPTBUFFER_VERSION, "(unsigned)NCRYPT_PERSIST_FLAG": NCRYPT_PERSIST_FLAG,

		"sizeof(CRYPT_KEY_PROV_INFO)":                      uint64(unsafe.Sizeof(provider)),
		"offsetof(CRYPT_KEY_PROV_INFO, pwszContainerName)": uint64(unsafe.Offsetof(provider.ContainerName)),
		"offsetof(CRYPT_KEY_PROV_INFO, pwszProvName)":      uint64(unsafe.Offsetof(provider.ProviderName)),
		"offsetof(CRYPT_KEY_PROV_INFO, dwProvType)":        uint64(unsafe.Offsetof(provider.ProviderType)),
		"offsetof(CRYPT_KEY_PROV_INFO, dwFlags)":           uint64(unsafe.Offsetof(provider.Flags)),
		"offsetof(CRYPT_KEY_PROV_INFO, cProvParam)":        uint64(unsafe.Offsetof(provider.ParamCount)),
		"offsetof(CRYPT_KEY_PROV_INFO, rgProvParam)":       uint64(unsafe.Offsetof(provider.Params)),
		"offsetof(CRYPT_KEY_PROV_INFO, dwKeySpec)":         uint64(unsafe.Offsetof(provider.KeySpec)),

		"sizeof(NCryptBuffer)":                  uint64(unsafe.Sizeof(buffer)),
		"offsetof(NCryptBuffer, cbBuffer)":      uint64(unsafe.Offsetof(buffer.Size)),
		"offsetof(NCryptBuffer, BufferType)":    uint64(unsafe.Offsetof(buffer.Type)),
		"offsetof(NCryptBuffer, pvBuffer)":      uint64(unsafe.Offsetof(buffer.Data)),
		"sizeof(NCryptBufferDesc)":              uint64(unsafe.Sizeof(list)),
		"offsetof(NCryptBufferDesc, ulVersion)": uint64(unsafe.Offsetof(list.Version)),
		"offsetof(NCryptBufferDesc, cBuffers)":  uint64(unsafe.Offsetof(list.Count)),
		"offsetof(NCryptBufferDesc, pBuffers)":  uint64(unsafe.Offsetof(list.Buffers)),

		"sizeof(NCryptKeyName)":                    uint64(unsafe.Sizeof(name)),
		"offsetof(NCryptKeyName, pszName)":         uint64(unsafe.Offsetof(name.Name)),
		"offsetof(NCryptKeyName, pszAlgid)":        uint64(unsafe.Offsetof(name.AlgID)),
		"offsetof(NCryptKeyName, dwLegacyKeySpec)": uint64(unsafe.Offsetof(name.LegacyKeySpec)),
		"offsetof(NCryptKeyName, dwFlags)":         uint64(unsafe.Offsetof(name.Flags)),
	})
}
