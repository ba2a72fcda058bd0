#include "program.h"

DWORD verify(PCCERT_CONTEXT certificate, const wchar_t *server_name) {
  CERT_CHAIN_PARA parameters = {.cbSize = sizeof parameters};
  HTTPSPolicyCallbackData https = {
      .cbStruct = sizeof https,
      .dwAuthType = AUTHTYPE_SERVER,
      .pwszServerName = (wchar_t *)server_name,
  };
  CERT_CHAIN_POLICY_PARA policy = {.cbSize = sizeof policy, .pvExtraPolicyPara = &https};
  CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof status};
  PCCERT_CHAIN_CONTEXT chain;
  // HCCE_LOCAL_MACHINE: what the machine trusts, not what the user of this process does.
  if (!CertGetCertificateChain(HCCE_LOCAL_MACHINE, certificate, NULL, certificate->hCertStore, &parameters, 0, NULL, &chain))
    return GetLastError();
  if (!CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &policy, &status)) status.dwError = GetLastError();
  CertFreeCertificateChain(chain);
  return status.dwError;
}
