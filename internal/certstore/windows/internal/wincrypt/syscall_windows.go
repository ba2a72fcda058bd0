package wincrypt

// What golang.org/x/sys/windows does not declare.

// Certificate properties (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetcertificatecontextproperty).
//sys	CertGetCertificateContextProperty(context *windows.CertContext, propID uint32, data *byte, size *uint32) (err error) = crypt32.CertGetCertificateContextProperty
//sys	CertSetCertificateContextProperty(context *windows.CertContext, propID uint32, flags uint32, data unsafe.Pointer) (err error) = crypt32.CertSetCertificateContextProperty

// The stores of a location (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumsystemstore).
//sys	CertEnumSystemStore(flags uint32, locationPara unsafe.Pointer, arg uintptr, callback uintptr) (err error) = crypt32.CertEnumSystemStore

// Writing out what a store keeps in memory (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcontrolstore).
//sys	CertControlStore(store windows.Handle, flags uint32, controlType uint32, para unsafe.Pointer) (err error) = crypt32.CertControlStore

// Keys in CAPI (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptimportkey).
//sys	CryptImportKey(provider windows.Handle, data *byte, size uint32, publicKey windows.Handle, flags uint32, key *windows.Handle) (err error) = advapi32.CryptImportKey
//sys	CryptGetUserKey(provider windows.Handle, keySpec uint32, key *windows.Handle) (err error) = advapi32.CryptGetUserKey
//sys	CryptDestroyKey(key windows.Handle) (err error) = advapi32.CryptDestroyKey

// Who may use a container in CAPI (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptsetprovparam).
//sys	CryptSetProvParam(provider windows.Handle, param uint32, data *byte, flags uint32) (err error) = advapi32.CryptSetProvParam
//sys	CryptGetProvParam(provider windows.Handle, param uint32, data *byte, size *uint32, flags uint32) (err error) = advapi32.CryptGetProvParam

// Keys in CNG (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptimportkey). They return a status.
//sys	NCryptOpenStorageProvider(provider *windows.Handle, name *uint16, flags uint32) (status error) = ncrypt.NCryptOpenStorageProvider
//sys	NCryptImportKey(provider windows.Handle, importKey windows.Handle, blobType *uint16, parameters *NCryptBufferDesc, key *windows.Handle, data *byte, size uint32, flags uint32) (status error) = ncrypt.NCryptImportKey
//sys	NCryptOpenKey(provider windows.Handle, key *windows.Handle, name *uint16, legacyKeySpec uint32, flags uint32) (status error) = ncrypt.NCryptOpenKey
//sys	NCryptSetProperty(object windows.Handle, property *uint16, input *byte, size uint32, flags uint32) (status error) = ncrypt.NCryptSetProperty
//sys	NCryptGetProperty(object windows.Handle, property *uint16, output *byte, size uint32, result *uint32, flags uint32) (status error) = ncrypt.NCryptGetProperty
//sys	NCryptFinalizeKey(key windows.Handle, flags uint32) (status error) = ncrypt.NCryptFinalizeKey
//sys	NCryptEnumKeys(provider windows.Handle, scope *uint16, name **NCryptKeyName, state *unsafe.Pointer, flags uint32) (status error) = ncrypt.NCryptEnumKeys
//sys	NCryptFreeBuffer(buffer unsafe.Pointer) (status error) = ncrypt.NCryptFreeBuffer
//sys	NCryptDeleteKey(key windows.Handle, flags uint32) (status error) = ncrypt.NCryptDeleteKey
//sys	NCryptFreeObject(object windows.Handle) (status error) = ncrypt.NCryptFreeObject

// The bindings of http.sys (https://learn.microsoft.com/windows/win32/api/http/nf-http-httpqueryserviceconfiguration). They
// return a status. A system without httpapi.dll is an error of the call.
//sys	HttpInitialize(version uint32, flags uint32, reserved uintptr) (status error) = httpapi.HttpInitialize?
//sys	HttpTerminate(flags uint32, reserved uintptr) (status error) = httpapi.HttpTerminate?
//sys	HttpQueryServiceConfiguration(service windows.Handle, configID uint32, input *byte, inputSize uint32, output *byte, outputSize uint32, result *uint32, overlapped uintptr) (status error) = httpapi.HttpQueryServiceConfiguration?
//sys	HttpSetServiceConfiguration(service windows.Handle, configID uint32, information *byte, size uint32, overlapped uintptr) (status error) = httpapi.HttpSetServiceConfiguration?
//sys	HttpUpdateServiceConfiguration(handle windows.Handle, configID uint32, information *byte, size uint32, overlapped uintptr) (status error) = httpapi.HttpUpdateServiceConfiguration?

// Property identifiers (wincrypt.h).
const (
	CERT_KEY_PROV_INFO_PROP_ID = 2
	CERT_FRIENDLY_NAME_PROP_ID = 11
	CERT_DESCRIPTION_PROP_ID   = 13
	CERT_RENEWAL_PROP_ID       = 64
)

// Parameters of a provider (wincrypt.h).
const (
	PP_ENUMCONTAINERS   = 2
	PP_KEYSET_SEC_DESCR = 8
	CRYPT_FIRST         = 1
	CRYPT_NEXT          = 2
)

// Versions, flags and record types of the HTTP Server API (http.h).
const (
	HTTPAPI_VERSION_2               = 2 // major in the low word
	HTTP_INITIALIZE_CONFIG          = 2
	HttpServiceConfigSSLCertInfo    = 1
	HttpServiceConfigSslSniCertInfo = 5
)

// Requests to CertControlStore (wincrypt.h).
const (
	CERT_STORE_CTRL_COMMIT            = 3
	CERT_STORE_CTRL_COMMIT_FORCE_FLAG = 1
)

// Names of providers (wincrypt.h, ncrypt.h).
const (
	MS_ENH_RSA_AES_PROV     = "Microsoft Enhanced RSA and AES Cryptographic Provider"
	MS_KEY_STORAGE_PROVIDER = "Microsoft Software Key Storage Provider"
)

// Flags, names and buffer types of CNG (ncrypt.h, bcrypt.h).
const (
	NCRYPT_MACHINE_KEY_FLAG     = 0x00000020
	NCRYPT_SILENT_FLAG          = 0x00000040
	NCRYPT_OVERWRITE_KEY_FLAG   = 0x00000080
	NCRYPT_DO_NOT_FINALIZE_FLAG = 0x00000400
	NCRYPT_PERSIST_FLAG         = 0x80000000
	NCRYPT_ALLOW_EXPORT_FLAG    = 0x00000001
	NCRYPT_EXPORT_POLICY_PROP   = "Export Policy"
	NCRYPT_SECURITY_DESCR_PROP  = "Security Descr"
	NCRYPTBUFFER_PKCS_KEY_NAME  = 45
	NCRYPTBUFFER_VERSION        = 0
)

// CryptKeyProvInfo is CRYPT_KEY_PROV_INFO
// (https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-crypt_key_prov_info).
type CryptKeyProvInfo struct {
	ContainerName *uint16
	ProviderName  *uint16
	ProviderType  uint32 // 0 for CNG
	Flags         uint32
	ParamCount    uint32
	Params        uintptr
	KeySpec       uint32
}

// NCryptBuffer is BCryptBuffer (https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcryptbuffer).
type NCryptBuffer struct {
	Size uint32
	Type uint32
	Data *byte
}

// NCryptBufferDesc is BCryptBufferDesc (https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcryptbufferdesc).
type NCryptBufferDesc struct {
	Version uint32
	Count   uint32
	Buffers *NCryptBuffer
}

// NCryptKeyName is NCryptKeyName (https://learn.microsoft.com/windows/win32/api/ncrypt/ns-ncrypt-ncryptkeyname).
type NCryptKeyName struct {
	Name          *uint16
	AlgID         *uint16
	LegacyKeySpec uint32
	Flags         uint32
}
