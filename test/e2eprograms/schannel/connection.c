#include "program.h"

#define FLAGS_OF_BOTH(side) \
  (side##_SEQUENCE_DETECT | side##_REPLAY_DETECT | side##_CONFIDENTIALITY | side##_ALLOCATE_MEMORY | side##_STREAM)

static SECURITY_STATUS acquire(struct connection *c, PCCERT_CONTEXT certificate) {
  SCHANNEL_CRED want = {.dwVersion = SCHANNEL_CRED_VERSION};
  TimeStamp expiry;
  want.cCreds = certificate ? 1 : 0;
  want.paCred = certificate ? &certificate : NULL;
  // The program verifies by itself, to say why it refuses; without a certificate it sends none, and not the first that fits.
  want.dwFlags = c->server ? SCH_CRED_NO_SYSTEM_MAPPER : SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS;
  return AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, c->server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL, &want,
                                   NULL, NULL, &c->credential, &expiry);
}

static SECURITY_STATUS receive(struct connection *c) {
  int count = recv(c->socket, (char *)c->data + c->size, sizeof c->data - c->size, 0);
  if (count == 0) return SEC_I_CONTEXT_EXPIRED; // the other side has closed
  if (count < 0) {
    printf("schannel: recv: error %d\n", WSAGetLastError());
    return SEC_E_INTERNAL_ERROR;
  }
  c->size += count;
  return SEC_E_OK;
}

// transmit sends what Schannel made, and frees it.
static SECURITY_STATUS transmit(struct connection *c, SecBuffer *made) {
  int sent = 0;
  if (!made->pvBuffer) return SEC_E_OK;
  if (made->cbBuffer) sent = send(c->socket, made->pvBuffer, made->cbBuffer, 0);
  FreeContextBuffer(made->pvBuffer);
  return sent < 0 ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

// keep keeps the last bytes that were received, and drops the others.
static void keep(struct connection *c, DWORD last) {
  memmove(c->data, c->data + c->size - last, last);
  c->size = last;
}

// step gives Schannel what was received, and sends what it answers.
static SECURITY_STATUS step(struct connection *c) {
  SecBuffer in[2] = {{c->size, SECBUFFER_TOKEN, c->data}, {0, SECBUFFER_EMPTY, NULL}}, out = {0, SECBUFFER_TOKEN, NULL};
  SecBufferDesc input = {SECBUFFER_VERSION, 2, in}, output = {SECBUFFER_VERSION, 1, &out};
  CtxtHandle *before = c->established ? &c->context : NULL;
  SECURITY_STATUS status, sent;
  ULONG attributes;
  TimeStamp expiry;
  if (c->server)
    status = AcceptSecurityContext(&c->credential, before, &input, FLAGS_OF_BOTH(ASC_REQ), 0, &c->context,
                                   &output, &attributes, &expiry);
  else
    status = InitializeSecurityContextW(&c->credential, before, (wchar_t *)c->name, FLAGS_OF_BOTH(ISC_REQ) | ISC_REQ_MANUAL_CRED_VALIDATION,
                                        0, 0, before ? &input : NULL, 0, &c->context, &output, &attributes, &expiry);
  if (status == SEC_E_INCOMPLETE_MESSAGE) return status;
  if (status >= 0) c->established = TRUE;
  sent = transmit(c, &out);
  keep(c, in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
  return status >= 0 && sent < 0 ? sent : status;
}

static SECURITY_STATUS steps(struct connection *c) {
  SECURITY_STATUS status;
  for (;;) {
    BOOL wants_data = c->size == 0 && (c->server || c->established);
    if (wants_data && (status = receive(c)) != SEC_E_OK) return status;
    status = step(c);
    if (status == SEC_E_INCOMPLETE_MESSAGE) {
      if ((status = receive(c)) != SEC_E_OK) return status;
    } else if (status != SEC_I_CONTINUE_NEEDED) {
      return status;
    }
  }
}

SECURITY_STATUS handshake(struct connection *c, PCCERT_CONTEXT certificate) {
  SECURITY_STATUS status = acquire(c, certificate);
  return status == SEC_E_OK ? steps(c) : status;
}

// receive_text receives the next record of text.
SECURITY_STATUS receive_text(struct connection *c, char *text) {
  SECURITY_STATUS status;
  for (;;) {
    SecBuffer buffers[4] = {{c->size, SECBUFFER_DATA, c->data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    DWORD got = 0, rest = 0;
    status = c->size ? DecryptMessage(&c->context, &message, 0, NULL) : SEC_E_INCOMPLETE_MESSAGE;
    if (status == SEC_E_INCOMPLETE_MESSAGE) {
      if ((status = receive(c)) != SEC_E_OK) return status;
      continue;
    }
    for (int i = 0; status >= 0 && i < 4; i++) {
      if (buffers[i].BufferType == SECBUFFER_DATA && (got = min(buffers[i].cbBuffer, MAX_TEXT - 1)))
        memcpy(text, buffers[i].pvBuffer, got);
      if (buffers[i].BufferType == SECBUFFER_EXTRA) rest = buffers[i].cbBuffer;
    }
    keep(c, rest);
    text[got] = 0;
    if (status == SEC_I_RENEGOTIATE) { // a message of TLS 1.3 after the handshake
      if ((status = step(c)) != SEC_E_OK) return status;
      continue;
    }
    if (status == SEC_E_OK && !got) return SEC_I_CONTEXT_EXPIRED; // what Wine makes of the other side's goodbye
    return status;
  }
}

SECURITY_STATUS send_text(struct connection *c, const char *text) {
  SecPkgContext_StreamSizes sizes;
  DWORD length = (DWORD)strlen(text), total;
  SECURITY_STATUS status = QueryContextAttributes(&c->context, SECPKG_ATTR_STREAM_SIZES, &sizes);
  BYTE *record;
  if (status != SEC_E_OK) return status;
  if (!(record = malloc(sizes.cbHeader + length + sizes.cbTrailer))) return SEC_E_INSUFFICIENT_MEMORY;
  memcpy(record + sizes.cbHeader, text, length);
  SecBuffer buffers[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
                          {length, SECBUFFER_DATA, record + sizes.cbHeader},
                          {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + length}};
  SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
  status = EncryptMessage(&c->context, 0, &message, 0);
  total = buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer;
  if (status == SEC_E_OK && send(c->socket, (char *)record, total, 0) < 0) status = SEC_E_INTERNAL_ERROR;
  free(record);
  return status;
}

PCCERT_CONTEXT remote_certificate(struct connection *c) {
  PCCERT_CONTEXT certificate = NULL;
  return QueryContextAttributes(&c->context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &certificate) == SEC_E_OK ? certificate : NULL;
}

// close_connection says goodbye, as TLS wants it, and frees everything.
void close_connection(struct connection *c) {
  DWORD token = SCHANNEL_SHUTDOWN;
  SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, &token};
  SecBufferDesc message = {SECBUFFER_VERSION, 1, &buffer};
  if (c->established) {
    if (ApplyControlToken(&c->context, &message) == SEC_E_OK) step(c);
    DeleteSecurityContext(&c->context);
  }
  if (SecIsValidHandle(&c->credential)) FreeCredentialsHandle(&c->credential);
  closesocket(c->socket);
}
