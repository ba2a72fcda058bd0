/* A stand-in for ncrypt.dll, whose key storage provider Wine does not have: Microsoft Software Key Storage Provider, as its
 * documentation describes it (https://learn.microsoft.com/windows/win32/api/ncrypt/). It shows that Vaultpane's calls follow the
 * documentation, not that Windows does.
 *
 * It is strict: a flag, a name, a length or a handle that the documentation does not allow is an error. Each key is imported into
 * Wine's bcrypt, which checks it. A persisted key is a file, in the folder of the machine or of the user. With VAULTPANE_NCRYPT_LOG,
 * each call is a line of that file, without any part of a key. */
#include <windows.h>
#include <bcrypt.h>
#include <ncrypt.h>
#include <sddl.h>
#include <shlobj.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#define EXPORT __declspec(dllexport)
#define MAX_NAME 260
#define MAX_BLOB 16384
#define MAX_DESCRIPTOR 8192

#ifndef NCRYPT_DO_NOT_FINALIZE_FLAG
#define NCRYPT_DO_NOT_FINALIZE_FLAG 0x00000400
#endif
#define DESCRIPTOR_PARTS (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION)

typedef struct {
    DWORD version, policy, blobSize, descriptorSize;
    WCHAR name[MAX_NAME], algorithm[32], blobType[32];
    BYTE blob[MAX_BLOB], descriptor[MAX_DESCRIPTOR];
} Stored;

typedef enum { FREE = 0, PROVIDER, KEY } Kind;

typedef struct Object {
    Kind kind;
    BOOL machine, finalized, persisted;
    Stored stored;
    struct Object *next;
} Object;

typedef struct Buffer { struct Buffer *next; } Buffer;

static CRITICAL_SECTION lock;
static Object *objects;
static Buffer *buffers;

static void say(const char *format, ...)
{
    char path[MAX_PATH], line[1024];
    DWORD length = GetEnvironmentVariableA("VAULTPANE_NCRYPT_LOG", path, sizeof path), written;
    if (length == 0 || length >= sizeof path) return;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line - 2, format, arguments);
    va_end(arguments);
    if (size < 0) return;
    if (size > (int)sizeof line - 3) size = sizeof line - 3;
    line[size++] = '\r';
    line[size++] = '\n';
    HANDLE file = CreateFileA(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return;
    WriteFile(file, line, size, &written, NULL);
    CloseHandle(file);
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
    (void)instance, (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) InitializeCriticalSection(&lock);
    if (reason == DLL_PROCESS_DETACH) {
        int left = 0, unfreed = 0;
        for (Object *one = objects; one; one = one->next) left++;
        for (Buffer *one = buffers; one; one = one->next) unfreed++;
        say("end: %d handles and %d buffers are left", left, unfreed);
    }
    return TRUE;
}

static Object *add(Kind kind)
{
    Object *one = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *one);
    if (!one) return NULL;
    one->kind = kind;
    EnterCriticalSection(&lock);
    one->next = objects;
    objects = one;
    LeaveCriticalSection(&lock);
    return one;
}

/* find returns the object of a handle, NULL for a handle that is none, was freed, or is of another kind. */
static Object *find(NCRYPT_HANDLE handle, Kind kind)
{
    Object *found = NULL;
    EnterCriticalSection(&lock);
    for (Object *one = objects; one; one = one->next)
        if ((NCRYPT_HANDLE)one == handle && one->kind == kind) found = one;
    LeaveCriticalSection(&lock);
    return found;
}

static BOOL drop(NCRYPT_HANDLE handle)
{
    BOOL found = FALSE;
    EnterCriticalSection(&lock);
    for (Object **place = &objects; *place; place = &(*place)->next) {
        Object *one = *place;
        if ((NCRYPT_HANDLE)one != handle) continue;
        *place = one->next;
        SecureZeroMemory(one, sizeof *one);
        HeapFree(GetProcessHeap(), 0, one);
        found = TRUE;
        break;
    }
    LeaveCriticalSection(&lock);
    return found;
}

static void *allocate(SIZE_T size)
{
    Buffer *one = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *one + size);
    if (!one) return NULL;
    EnterCriticalSection(&lock);
    one->next = buffers;
    buffers = one;
    LeaveCriticalSection(&lock);
    return one + 1;
}

/* The folders of keys: https://learn.microsoft.com/windows/win32/seccng/key-storage-and-retrieval */
static BOOL folder(BOOL machine, WCHAR *path)
{
    DWORD length = GetEnvironmentVariableW(machine ? L"ProgramData" : L"APPDATA", path, MAX_PATH);
    if (length == 0 || length > MAX_PATH - 100) return FALSE;
    wcscat(path, L"\\Microsoft\\Crypto\\Keys");
    SHCreateDirectoryExW(NULL, path, NULL);
    return TRUE;
}

/* uniqueName is the name of a key's file: names of keys have no case, and may have characters that files must not have. */
static void uniqueName(const WCHAR *name, WCHAR *unique)
{
    ULONGLONG hash = 14695981039346656037ull; /* FNV-1a */
    for (; *name; name++) {
        WCHAR lower = towlower(*name);
        hash = (hash ^ (lower & 0xff)) * 1099511628211ull;
        hash = (hash ^ (lower >> 8)) * 1099511628211ull;
    }
    swprintf(unique, 64, L"%016llx_standin", hash);
}

static BOOL fileOf(const WCHAR *name, BOOL machine, WCHAR *path)
{
    WCHAR unique[64];
    if (!folder(machine, path)) return FALSE;
    uniqueName(name, unique);
    wcscat(path, L"\\");
    wcscat(path, unique);
    return TRUE;
}

static BOOL readKey(const WCHAR *path, Stored *stored)
{
    DWORD size = 0;
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return FALSE;
    BOOL ok = ReadFile(file, stored, sizeof *stored, &size, NULL) && size == sizeof *stored && stored->version == 1;
    CloseHandle(file);
    return ok;
}

static SECURITY_STATUS writeKey(const Object *key)
{
    WCHAR path[MAX_PATH], unfinished[MAX_PATH + 32];
    DWORD size = 0;
    if (!fileOf(key->stored.name, key->machine, path)) return NTE_FAIL;
    swprintf(unfinished, MAX_PATH + 32, L"%ls.%lu", path, GetCurrentThreadId());
    HANDLE file = CreateFileW(unfinished, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return NTE_PERM;
    BOOL ok = WriteFile(file, &key->stored, sizeof key->stored, &size, NULL) && size == sizeof key->stored;
    CloseHandle(file);
    if (ok && MoveFileExW(unfinished, path, MOVEFILE_REPLACE_EXISTING)) return ERROR_SUCCESS;
    DeleteFileW(unfinished);
    return NTE_FAIL;
}

/* importPair gives a key to bcrypt. The caller destroys it. */
static SECURITY_STATUS importPair(const Stored *stored, BCRYPT_ALG_HANDLE *algorithm, BCRYPT_KEY_HANDLE *pair)
{
    if (BCryptOpenAlgorithmProvider(algorithm, stored->algorithm, NULL, 0)) return NTE_NOT_SUPPORTED;
    if (!BCryptImportKeyPair(*algorithm, NULL, stored->blobType, pair, (PUCHAR)stored->blob, stored->blobSize, 0)) return ERROR_SUCCESS;
    BCryptCloseAlgorithmProvider(*algorithm, 0);
    return NTE_BAD_DATA;
}

/* hasSize reports whether a blob has the length that its header says. Wine's bcrypt reads what it needs and ignores the rest.
 * https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_rsakey_blob
 * https://learn.microsoft.com/windows/win32/api/bcrypt/ns-bcrypt-bcrypt_ecckey_blob */
static BOOL hasSize(const Stored *stored, DWORD curve)
{
    const DWORD *header = (const DWORD *)stored->blob;
    if (curve) return stored->blobSize >= 8 && header[1] == (curve + 7) / 8 && stored->blobSize == 8 + 3 * header[1];
    if (stored->blobSize < 24) return FALSE;
    ULONGLONG bits = header[1], exponent = header[2], modulus = header[3], first = header[4], second = header[5];
    return modulus == (bits + 7) / 8 && stored->blobSize == 24 + exponent + 2 * modulus + 3 * first + 2 * second;
}

/* recognize sets the algorithm by the magic number of a blob (bcrypt.h). */
static SECURITY_STATUS recognize(Stored *stored)
{
    static const struct { DWORD magic, curve; const WCHAR *blobType, *algorithm; } known[] = {
        { 0x33415352, 0, L"RSAFULLPRIVATEBLOB", L"RSA" }, { 0x32534345, 256, L"ECCPRIVATEBLOB", L"ECDSA_P256" },
        { 0x34534345, 384, L"ECCPRIVATEBLOB", L"ECDSA_P384" }, { 0x36534345, 521, L"ECCPRIVATEBLOB", L"ECDSA_P521" },
    };
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_KEY_HANDLE pair;
    DWORD magic = stored->blobSize < sizeof magic ? 0 : *(DWORD *)stored->blob;
    for (int i = 0; i < (int)(sizeof known / sizeof *known); i++) {
        if (known[i].magic != magic || wcscmp(known[i].blobType, stored->blobType)) continue;
        if (!hasSize(stored, known[i].curve)) return NTE_BAD_DATA;
        wcscpy(stored->algorithm, known[i].algorithm);
        SECURITY_STATUS status = importPair(stored, &algorithm, &pair);
        if (status) return status;
        BCryptDestroyKey(pair);
        BCryptCloseAlgorithmProvider(algorithm, 0);
        return ERROR_SUCCESS;
    }
    return NTE_BAD_TYPE;
}

/* setDescriptor replaces the access list of a key with that of a descriptor, and keeps owner and group. */
static SECURITY_STATUS setDescriptor(Stored *stored, PSECURITY_DESCRIPTOR from)
{
    SECURITY_DESCRIPTOR made;
    SECURITY_DESCRIPTOR_CONTROL control;
    BOOL present, defaulted;
    PACL list;
    DWORD revision, size = sizeof stored->descriptor;
    if (!IsValidSecurityDescriptor(from) || !GetSecurityDescriptorDacl(from, &present, &list, &defaulted) || !present || !list ||
        !GetSecurityDescriptorControl(from, &control, &revision))
        return NTE_INVALID_PARAMETER;
    if (!InitializeSecurityDescriptor(&made, SECURITY_DESCRIPTOR_REVISION) || !SetSecurityDescriptorDacl(&made, TRUE, list, FALSE) ||
        !SetSecurityDescriptorControl(&made, SE_DACL_PROTECTED, control & SE_DACL_PROTECTED) ||
        !MakeSelfRelativeSD(&made, (PSECURITY_DESCRIPTOR)stored->descriptor, &size))
        return NTE_FAIL;
    stored->descriptorSize = size;
    return ERROR_SUCCESS;
}

static SECURITY_STATUS defaultDescriptor(Stored *stored)
{
    PSECURITY_DESCRIPTOR made;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;;FA;;;SY)(A;;FA;;;BA)", SDDL_REVISION_1, &made, NULL)) return NTE_FAIL;
    SECURITY_STATUS status = setDescriptor(stored, made);
    LocalFree(made);
    return status;
}

static SECURITY_STATUS opened(NCRYPT_PROV_HANDLE *provider, LPCWSTR name, DWORD flags)
{
    if (!provider) return NTE_INVALID_PARAMETER;
    if (flags) return NTE_BAD_FLAGS;
    if (name && wcscmp(name, MS_KEY_STORAGE_PROVIDER)) return NTE_BAD_KEYSET;
    Object *one = add(PROVIDER);
    *provider = (NCRYPT_PROV_HANDLE)one;
    return one ? ERROR_SUCCESS : NTE_NO_MEMORY;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptopenstorageprovider */
EXPORT SECURITY_STATUS WINAPI NCryptOpenStorageProvider(NCRYPT_PROV_HANDLE *provider, LPCWSTR name, DWORD flags)
{
    SECURITY_STATUS status = opened(provider, name, flags);
    say("NCryptOpenStorageProvider flags=0x%lx: 0x%lx", flags, status);
    return status;
}

/* nameIn returns the name of a key in a list of parameters, which ends with a zero inside its size. */
static SECURITY_STATUS nameIn(const NCryptBufferDesc *parameters, WCHAR *name)
{
    *name = 0;
    if (!parameters) return ERROR_SUCCESS;
    if (parameters->ulVersion != NCRYPTBUFFER_VERSION || parameters->cBuffers != 1 || !parameters->pBuffers) return NTE_INVALID_PARAMETER;
    const NCryptBuffer *buffer = parameters->pBuffers;
    DWORD count = buffer->cbBuffer / sizeof(WCHAR);
    if (buffer->BufferType != NCRYPTBUFFER_PKCS_KEY_NAME || !buffer->pvBuffer || buffer->cbBuffer % sizeof(WCHAR) || count < 2 || count > MAX_NAME)
        return NTE_INVALID_PARAMETER;
    memcpy(name, buffer->pvBuffer, buffer->cbBuffer);
    return name[count - 1] == 0 && wcslen(name) == count - 1 ? ERROR_SUCCESS : NTE_INVALID_PARAMETER;
}

static SECURITY_STATUS finalize(Object *key)
{
    if (key->finalized) return NTE_BAD_KEY_STATE;
    if (key->persisted) {
        SECURITY_STATUS status = writeKey(key);
        if (status) return status;
    }
    key->finalized = TRUE;
    return ERROR_SUCCESS;
}

static SECURITY_STATUS import(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE with, LPCWSTR blobType, NCryptBufferDesc *parameters,
                              NCRYPT_KEY_HANDLE *result, PBYTE data, DWORD size, DWORD flags)
{
    const DWORD allowed = NCRYPT_SILENT_FLAG | NCRYPT_MACHINE_KEY_FLAG | NCRYPT_OVERWRITE_KEY_FLAG | NCRYPT_DO_NOT_FINALIZE_FLAG;
    WCHAR name[MAX_NAME], path[MAX_PATH];
    if (!find(provider, PROVIDER)) return NTE_INVALID_HANDLE;
    if (flags & ~allowed) return NTE_BAD_FLAGS;
    if (with || !blobType || !result || !data || size > MAX_BLOB || wcslen(blobType) > 31) return NTE_INVALID_PARAMETER;
    SECURITY_STATUS status = nameIn(parameters, name);
    if (status) return status;
    BOOL machine = (flags & NCRYPT_MACHINE_KEY_FLAG) != 0;
    if (*name && !(flags & NCRYPT_OVERWRITE_KEY_FLAG) && fileOf(name, machine, path) && GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES)
        return NTE_EXISTS;
    Object *key = add(KEY);
    if (!key) return NTE_NO_MEMORY;
    key->machine = machine, key->persisted = *name != 0;
    key->stored.version = 1, key->stored.blobSize = size;
    wcscpy(key->stored.name, name);
    wcscpy(key->stored.blobType, blobType);
    memcpy(key->stored.blob, data, size);
    status = recognize(&key->stored);
    if (!status) status = defaultDescriptor(&key->stored);
    if (!status && !(flags & NCRYPT_DO_NOT_FINALIZE_FLAG)) status = finalize(key);
    if (status) {
        drop((NCRYPT_HANDLE)key);
        return status;
    }
    *result = (NCRYPT_KEY_HANDLE)key;
    return ERROR_SUCCESS;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptimportkey */
EXPORT SECURITY_STATUS WINAPI NCryptImportKey(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE with, LPCWSTR blobType, NCryptBufferDesc *parameters,
                                              NCRYPT_KEY_HANDLE *key, PBYTE data, DWORD size, DWORD flags)
{
    SECURITY_STATUS status = import(provider, with, blobType, parameters, key, data, size, flags);
    say("NCryptImportKey type=%ls flags=0x%lx: 0x%lx", blobType ? blobType : L"", flags, status);
    return status;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptfinalizekey */
EXPORT SECURITY_STATUS WINAPI NCryptFinalizeKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    Object *key = find(handle, KEY);
    SECURITY_STATUS status = !key ? NTE_INVALID_HANDLE : flags & ~(DWORD)NCRYPT_SILENT_FLAG ? NTE_BAD_FLAGS : finalize(key);
    say("NCryptFinalizeKey flags=0x%lx: 0x%lx", flags, status);
    return status;
}

static SECURITY_STATUS openKey(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE *result, LPCWSTR name, DWORD legacy, DWORD flags)
{
    WCHAR path[MAX_PATH];
    if (!find(provider, PROVIDER)) return NTE_INVALID_HANDLE;
    if (flags & ~(DWORD)(NCRYPT_SILENT_FLAG | NCRYPT_MACHINE_KEY_FLAG)) return NTE_BAD_FLAGS;
    if (!result || !name || !*name || wcslen(name) >= MAX_NAME || legacy > AT_SIGNATURE) return NTE_INVALID_PARAMETER;
    BOOL machine = (flags & NCRYPT_MACHINE_KEY_FLAG) != 0;
    if (legacy || !fileOf(name, machine, path)) return NTE_BAD_KEYSET;
    Object *key = add(KEY);
    if (!key) return NTE_NO_MEMORY;
    if (!readKey(path, &key->stored)) {
        drop((NCRYPT_HANDLE)key);
        return NTE_BAD_KEYSET;
    }
    key->machine = machine, key->persisted = key->finalized = TRUE;
    *result = (NCRYPT_KEY_HANDLE)key;
    return ERROR_SUCCESS;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptopenkey */
EXPORT SECURITY_STATUS WINAPI NCryptOpenKey(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE *key, LPCWSTR name, DWORD legacy, DWORD flags)
{
    SECURITY_STATUS status = openKey(provider, key, name, legacy, flags);
    say("NCryptOpenKey name=%ls flags=0x%lx: 0x%lx", name ? name : L"", flags, status);
    return status;
}

static SECURITY_STATUS setProperty(NCRYPT_HANDLE handle, LPCWSTR property, PBYTE input, DWORD size, DWORD flags)
{
    const DWORD common = NCRYPT_PERSIST_FLAG | NCRYPT_SILENT_FLAG;
    Object *key = find(handle, KEY);
    if (!key) return NTE_INVALID_HANDLE;
    if (!property || !input) return NTE_INVALID_PARAMETER;
    if (!wcscmp(property, NCRYPT_EXPORT_POLICY_PROPERTY)) {
        const DWORD known = NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG | NCRYPT_ALLOW_ARCHIVING_FLAG | NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG;
        if (flags & ~common) return NTE_BAD_FLAGS;
        if (size != sizeof(DWORD) || *(DWORD *)input & ~known) return NTE_INVALID_PARAMETER;
        if (key->finalized) return NTE_BAD_KEY_STATE; /* it is set before the key is finalized */
        key->stored.policy = *(DWORD *)input;
        return ERROR_SUCCESS;
    }
    if (!wcscmp(property, NCRYPT_SECURITY_DESCR_PROPERTY)) {
        if (flags & ~(common | DESCRIPTOR_PARTS) || !(flags & DESCRIPTOR_PARTS)) return NTE_BAD_FLAGS;
        if ((flags & DESCRIPTOR_PARTS) != DACL_SECURITY_INFORMATION) return NTE_NOT_SUPPORTED; /* of the stand-in */
        if (!IsValidSecurityDescriptor(input) || size < GetSecurityDescriptorLength(input)) return NTE_INVALID_PARAMETER;
        SECURITY_STATUS status = setDescriptor(&key->stored, input);
        return status || !key->finalized || !key->persisted ? status : writeKey(key);
    }
    return NTE_NOT_SUPPORTED;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptsetproperty */
EXPORT SECURITY_STATUS WINAPI NCryptSetProperty(NCRYPT_HANDLE handle, LPCWSTR property, PBYTE input, DWORD size, DWORD flags)
{
    SECURITY_STATUS status = setProperty(handle, property, input, size, flags);
    say("NCryptSetProperty %ls size=%lu flags=0x%lx: 0x%lx", property ? property : L"", size, flags, status);
    return status;
}

static SECURITY_STATUS give(const void *value, DWORD size, PBYTE output, DWORD room, DWORD *result)
{
    if (!result) return NTE_INVALID_PARAMETER;
    *result = size;
    if (!output) return ERROR_SUCCESS;
    if (room < size) return NTE_BUFFER_TOO_SMALL;
    memcpy(output, value, size);
    return ERROR_SUCCESS;
}

/* The property is a handle of its own, which the caller frees. */
static SECURITY_STATUS giveProvider(PBYTE output, DWORD room, DWORD *result)
{
    NCRYPT_PROV_HANDLE provider = 0;
    SECURITY_STATUS status = give(&provider, sizeof provider, output, room, result);
    if (status || !output) return status;
    status = opened(&provider, NULL, 0);
    memcpy(output, &provider, sizeof provider);
    return status;
}

static SECURITY_STATUS getProperty(NCRYPT_HANDLE handle, LPCWSTR property, PBYTE output, DWORD room, DWORD *result, DWORD flags)
{
    const DWORD software = NCRYPT_IMPL_SOFTWARE_FLAG;
    WCHAR unique[64];
    Object *key = find(handle, KEY);
    if (property && !wcscmp(property, NCRYPT_IMPL_TYPE_PROPERTY) && find(handle, PROVIDER))
        return flags & ~(DWORD)NCRYPT_SILENT_FLAG ? NTE_BAD_FLAGS : give(&software, sizeof software, output, room, result);
    if (!key) return NTE_INVALID_HANDLE;
    if (!property) return NTE_INVALID_PARAMETER;
    if (!wcscmp(property, NCRYPT_SECURITY_DESCR_PROPERTY)) {
        if (flags & ~(DWORD)(NCRYPT_SILENT_FLAG | DESCRIPTOR_PARTS) || !(flags & DESCRIPTOR_PARTS)) return NTE_BAD_FLAGS;
        return give(key->stored.descriptor, key->stored.descriptorSize, output, room, result);
    }
    if (flags & ~(DWORD)(NCRYPT_SILENT_FLAG | NCRYPT_PERSIST_ONLY_FLAG)) return NTE_BAD_FLAGS;
    if (!wcscmp(property, NCRYPT_EXPORT_POLICY_PROPERTY)) return give(&key->stored.policy, sizeof(DWORD), output, room, result);
    if (!wcscmp(property, NCRYPT_PROVIDER_HANDLE_PROPERTY)) return giveProvider(output, room, result);
    const WCHAR *text = !wcscmp(property, NCRYPT_NAME_PROPERTY) ? key->stored.name : !wcscmp(property, NCRYPT_ALGORITHM_PROPERTY) ? key->stored.algorithm : NULL;
    if (!wcscmp(property, NCRYPT_ALGORITHM_GROUP_PROPERTY)) text = wcsncmp(key->stored.algorithm, L"ECDSA", 5) ? key->stored.algorithm : L"ECDSA";
    if (!wcscmp(property, NCRYPT_UNIQUE_NAME_PROPERTY)) {
        uniqueName(key->stored.name, unique);
        text = unique;
    }
    return text ? give(text, (wcslen(text) + 1) * sizeof(WCHAR), output, room, result) : NTE_NOT_SUPPORTED;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptgetproperty */
EXPORT SECURITY_STATUS WINAPI NCryptGetProperty(NCRYPT_HANDLE handle, LPCWSTR property, PBYTE output, DWORD room, DWORD *result, DWORD flags)
{
    SECURITY_STATUS status = getProperty(handle, property, output, room, result, flags);
    say("NCryptGetProperty %ls flags=0x%lx: 0x%lx", property ? property : L"", flags, status);
    return status;
}

typedef struct { HANDLE search; WIN32_FIND_DATAW found; WCHAR folder[MAX_PATH]; } Enumeration;

static SECURITY_STATUS beginEnumeration(BOOL machine, PVOID *state)
{
    WCHAR pattern[MAX_PATH];
    Enumeration *one = allocate(sizeof *one);
    if (!one || !folder(machine, one->folder)) return NTE_FAIL;
    *state = one;
    swprintf(pattern, MAX_PATH, L"%ls\\*_standin", one->folder);
    one->search = FindFirstFileW(pattern, &one->found);
    return one->search == INVALID_HANDLE_VALUE ? NTE_NO_MORE_ITEMS : ERROR_SUCCESS;
}

static SECURITY_STATUS enumerate(NCRYPT_PROV_HANDLE provider, LPCWSTR scope, NCryptKeyName **result, PVOID *state, DWORD flags)
{
    static Stored stored; /* 24 kilobytes; the lock is held */
    WCHAR path[2 * MAX_PATH];
    if (!find(provider, PROVIDER)) return NTE_INVALID_HANDLE;
    if (flags & ~(DWORD)(NCRYPT_SILENT_FLAG | NCRYPT_MACHINE_KEY_FLAG)) return NTE_BAD_FLAGS;
    if (scope || !result || !state) return NTE_INVALID_PARAMETER;
    BOOL machine = (flags & NCRYPT_MACHINE_KEY_FLAG) != 0, first = !*state;
    if (first) {
        SECURITY_STATUS status = beginEnumeration(machine, state);
        if (status) return status;
    }
    for (Enumeration *one = *state; one->search != INVALID_HANDLE_VALUE; first = FALSE) {
        if (!first && !FindNextFileW(one->search, &one->found)) {
            FindClose(one->search);
            one->search = INVALID_HANDLE_VALUE;
            break;
        }
        swprintf(path, 2 * MAX_PATH, L"%ls\\%ls", one->folder, one->found.cFileName);
        if (!readKey(path, &stored)) continue;
        SIZE_T name = (wcslen(stored.name) + 1) * sizeof(WCHAR), algorithm = (wcslen(stored.algorithm) + 1) * sizeof(WCHAR);
        NCryptKeyName *key = allocate(sizeof *key + name + algorithm);
        if (!key) return NTE_NO_MEMORY;
        key->pszName = memcpy(key + 1, stored.name, name);
        key->pszAlgid = memcpy((BYTE *)(key + 1) + name, stored.algorithm, algorithm);
        key->dwFlags = machine ? NCRYPT_MACHINE_KEY_FLAG : 0;
        SecureZeroMemory(&stored, sizeof stored);
        *result = key;
        return ERROR_SUCCESS;
    }
    return NTE_NO_MORE_ITEMS;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptenumkeys */
EXPORT SECURITY_STATUS WINAPI NCryptEnumKeys(NCRYPT_PROV_HANDLE provider, LPCWSTR scope, NCryptKeyName **name, PVOID *state, DWORD flags)
{
    EnterCriticalSection(&lock);
    SECURITY_STATUS status = enumerate(provider, scope, name, state, flags);
    LeaveCriticalSection(&lock);
    say("NCryptEnumKeys flags=0x%lx: 0x%lx", flags, status);
    return status;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptfreebuffer */
EXPORT SECURITY_STATUS WINAPI NCryptFreeBuffer(PVOID buffer)
{
    SECURITY_STATUS status = NTE_INVALID_PARAMETER;
    EnterCriticalSection(&lock);
    for (Buffer **place = &buffers; *place; place = &(*place)->next) {
        Buffer *one = *place;
        if ((PVOID)(one + 1) != buffer) continue;
        *place = one->next;
        HeapFree(GetProcessHeap(), 0, one);
        status = ERROR_SUCCESS;
        break;
    }
    LeaveCriticalSection(&lock);
    say("NCryptFreeBuffer: 0x%lx", status);
    return status;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptdeletekey: it frees the handle, too. */
EXPORT SECURITY_STATUS WINAPI NCryptDeleteKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    WCHAR path[MAX_PATH];
    Object *key = find(handle, KEY);
    SECURITY_STATUS status = !key ? NTE_INVALID_HANDLE : flags & ~(DWORD)NCRYPT_SILENT_FLAG ? NTE_BAD_FLAGS : ERROR_SUCCESS;
    if (!status && key->persisted && key->finalized && (!fileOf(key->stored.name, key->machine, path) || !DeleteFileW(path))) status = NTE_BAD_KEYSET;
    if (!status) drop(handle);
    say("NCryptDeleteKey flags=0x%lx: 0x%lx", flags, status);
    return status;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptfreeobject */
EXPORT SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE handle)
{
    SECURITY_STATUS status = drop(handle) ? ERROR_SUCCESS : NTE_INVALID_HANDLE;
    say("NCryptFreeObject: 0x%lx", status);
    return status;
}

/* exportPublic gives the public half, which every key has. */
static SECURITY_STATUS exportPublic(const Stored *stored, LPCWSTR blobType, PBYTE output, DWORD room, DWORD *result)
{
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_KEY_HANDLE pair;
    if (!result) return NTE_INVALID_PARAMETER;
    SECURITY_STATUS status = importPair(stored, &algorithm, &pair);
    if (status) return status;
    if (BCryptExportKey(pair, NULL, blobType, output, room, result, 0)) status = NTE_BAD_TYPE;
    BCryptDestroyKey(pair);
    BCryptCloseAlgorithmProvider(algorithm, 0);
    return status;
}

static SECURITY_STATUS export(NCRYPT_KEY_HANDLE handle, NCRYPT_KEY_HANDLE with, LPCWSTR blobType, PBYTE output, DWORD room, DWORD *result, DWORD flags)
{
    Object *key = find(handle, KEY);
    if (!key) return NTE_INVALID_HANDLE;
    if (flags & ~(DWORD)NCRYPT_SILENT_FLAG) return NTE_BAD_FLAGS;
    if (with || !blobType) return NTE_INVALID_PARAMETER;
    if (!key->finalized) return NTE_BAD_KEY_STATE;
    if (!wcscmp(blobType, BCRYPT_RSAPUBLIC_BLOB) || !wcscmp(blobType, BCRYPT_ECCPUBLIC_BLOB))
        return exportPublic(&key->stored, blobType, output, room, result);
    if (wcscmp(blobType, key->stored.blobType) || !(key->stored.policy & NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG)) return NTE_NOT_SUPPORTED;
    return give(key->stored.blob, key->stored.blobSize, output, room, result);
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptexportkey */
EXPORT SECURITY_STATUS WINAPI NCryptExportKey(NCRYPT_KEY_HANDLE key, NCRYPT_KEY_HANDLE with, LPCWSTR blobType, NCryptBufferDesc *parameters,
                                              PBYTE output, DWORD room, DWORD *result, DWORD flags)
{
    SECURITY_STATUS status = parameters ? NTE_INVALID_PARAMETER : export(key, with, blobType, output, room, result, flags);
    say("NCryptExportKey type=%ls flags=0x%lx: 0x%lx", blobType ? blobType : L"", flags, status);
    return status;
}

static SECURITY_STATUS sign(NCRYPT_KEY_HANDLE handle, VOID *padding, PBYTE hash, DWORD size, PBYTE output, DWORD room, DWORD *result, DWORD flags)
{
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_KEY_HANDLE pair;
    Object *key = find(handle, KEY);
    if (!key) return NTE_INVALID_HANDLE;
    if (!key->finalized) return NTE_BAD_KEY_STATE; /* a key cannot be used before */
    SECURITY_STATUS status = importPair(&key->stored, &algorithm, &pair);
    if (status) return status;
    if (BCryptSignHash(pair, padding, hash, size, output, room, result, flags & ~(DWORD)NCRYPT_SILENT_FLAG)) status = NTE_INVALID_PARAMETER;
    BCryptDestroyKey(pair);
    BCryptCloseAlgorithmProvider(algorithm, 0);
    return status;
}

/* https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptsignhash */
EXPORT SECURITY_STATUS WINAPI NCryptSignHash(NCRYPT_KEY_HANDLE key, VOID *padding, PBYTE hash, DWORD size, PBYTE output, DWORD room, DWORD *result, DWORD flags)
{
    SECURITY_STATUS status = sign(key, padding, hash, size, output, room, result, flags);
    say("NCryptSignHash flags=0x%lx: 0x%lx", flags, status);
    return status;
}

/* Other programs want these to exist. Vaultpane calls neither: it generates no keys, and decrypts nothing.
 * https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptcreatepersistedkey
 * https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptdecrypt */
EXPORT SECURITY_STATUS WINAPI NCryptCreatePersistedKey(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE *key, LPCWSTR algorithm, LPCWSTR name, DWORD legacy,
                                                       DWORD flags)
{
    (void)provider, (void)key, (void)algorithm, (void)name, (void)legacy, (void)flags;
    say("NCryptCreatePersistedKey: not in the stand-in");
    return NTE_NOT_SUPPORTED;
}

EXPORT SECURITY_STATUS WINAPI NCryptDecrypt(NCRYPT_KEY_HANDLE key, PBYTE input, DWORD size, VOID *padding, PBYTE output, DWORD room, DWORD *result,
                                            DWORD flags)
{
    (void)key, (void)input, (void)size, (void)padding, (void)output, (void)room, (void)result, (void)flags;
    say("NCryptDecrypt: not in the stand-in");
    return NTE_NOT_SUPPORTED;
}

/* VaultpaneStandIn tells a test that this is not Windows' own. */
EXPORT BOOL WINAPI VaultpaneStandIn(void) { return TRUE; }
