// A small server and client of TLS by Schannel, with certificates of LocalMachine\My, as a Windows program that is not ours has them.
#ifndef PROGRAM_H
#define PROGRAM_H

#define SECURITY_WIN32
#define UNICODE
#include <winsock2.h>
#include <windows.h>
#include <wincrypt.h>
#include <security.h>
#include <schannel.h>
#include <stdio.h>
#include <stdlib.h>

#define THUMBPRINT_SIZE 41 // of a text, with its end
#define MAX_TEXT (16 * 1024 + 1) // of a record, with its end

// store.c: certificates. What is found is freed by CertFreeCertificateContext.
PCCERT_CONTEXT find_certificate(const char *thumbprint);
BOOL await_root(const char *thumbprint); // waits until LocalMachine\Root has it
void thumbprint_of(PCCERT_CONTEXT certificate, char *text);

// trust.c: 0, or the error of CertVerifyCertificateChainPolicy.
DWORD verify(PCCERT_CONTEXT certificate, const wchar_t *server_name);

// connection.c: one connection. Each function returns a SECURITY_STATUS.
struct connection {
  SOCKET socket;
  CredHandle credential;
  CtxtHandle context;
  BOOL server, established;
  const wchar_t *name; // of the server, for a client
  BYTE data[64 * 1024]; // received, and not used yet
  DWORD size;
};
SECURITY_STATUS handshake(struct connection *connection, PCCERT_CONTEXT certificate);
SECURITY_STATUS receive_text(struct connection *connection, char *text);
SECURITY_STATUS send_text(struct connection *connection, const char *text);
PCCERT_CONTEXT remote_certificate(struct connection *connection);
void close_connection(struct connection *connection);

// server.c, client.c: the commands. Each returns an exit code.
int serve(char **arguments);
int connect_to(char **arguments);

#endif
