#include "program.h"

void thumbprint_of(PCCERT_CONTEXT certificate, char *text) {
  BYTE hash[20];
  DWORD size = sizeof hash;
  text[0] = 0;
  if (!CertGetCertificateContextProperty(certificate, CERT_SHA1_HASH_PROP_ID, hash, &size)) return;
  for (DWORD i = 0; i < size; i++) sprintf(text + 2 * i, "%02X", hash[i]);
}

static BOOL parse(const char *text, BYTE *hash) {
  unsigned value;
  for (int i = 0; i < 20; i++, text += 2) {
    if (sscanf(text, "%2x", &value) != 1) return FALSE;
    hash[i] = (BYTE)value;
  }
  return *text == 0;
}

static PCCERT_CONTEXT find(HCERTSTORE store, BYTE *hash) {
  CRYPT_HASH_BLOB blob = {20, hash};
  return CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SHA1_HASH, &blob, NULL);
}

static HCERTSTORE open_machine_store(const wchar_t *name) {
  return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                       CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG, name);
}

static BOOL has_root(BYTE *hash) {
  HCERTSTORE store = open_machine_store(L"Root");
  PCCERT_CONTEXT found = store ? find(store, hash) : NULL;
  if (found) CertFreeCertificateContext(found);
  if (store) CertCloseStore(store, 0);
  return found != NULL;
}

// A machine may get its roots after its programs have started.
BOOL await_root(const char *thumbprint) {
  BYTE hash[20];
  if (!parse(thumbprint, hash)) return FALSE;
  for (int tries = 0; tries < 600; tries++, Sleep(100)) {
    BOOL found = has_root(hash);
    if (tries == 0) printf("schannel: looks for the root\n");
    if (found) return TRUE;
  }
  printf("schannel: the machine does not trust %s\n", thumbprint);
  return FALSE;
}

// Windows' Schannel follows the renewal property itself; this program does too, so that it shows the link wherever it runs.
PCCERT_CONTEXT find_certificate(const char *thumbprint) {
  BYTE hash[20];
  DWORD size = sizeof hash;
  PCCERT_CONTEXT found = NULL, renewed;
  HCERTSTORE store = open_machine_store(L"My");
  if (!store) return NULL;
  if (parse(thumbprint, hash)) found = find(store, hash);
  for (int links = 0; found && links < 10; links++, size = sizeof hash) {
    if (!CertGetCertificateContextProperty(found, CERT_RENEWAL_PROP_ID, hash, &size) || !(renewed = find(store, hash))) break;
    CertFreeCertificateContext(found);
    found = renewed;
  }
  CertCloseStore(store, 0);
  return found;
}
