#include "program.h"

static SOCKET dial(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((u_short)port)};
  SOCKET connected = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  DWORD limit = 10000; // milliseconds
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(connected, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit);
  if (connect(connected, (struct sockaddr *)&address, sizeof address) != 0) printf("schannel: port %d: error %d\n", port, WSAGetLastError());
  return connected;
}

// talk checks the server's certificate, sends a line, and prints the answer. It returns an exit code.
static int talk(struct connection *c) {
  char text[256], thumbprint[THUMBPRINT_SIZE] = "";
  PCCERT_CONTEXT server = remote_certificate(c);
  DWORD error = server ? verify(server, c->name) : (DWORD)SEC_E_CERT_UNKNOWN;
  SECURITY_STATUS status;
  if (server) thumbprint_of(server, thumbprint);
  if (server) CertFreeCertificateContext(server);
  if (error) {
    printf("schannel: the server's certificate %s is refused: %#lx\n", thumbprint, error);
    return 3;
  }
  if ((status = send_text(c, "hello\n")) == SEC_E_OK) status = receive_text(c, text, sizeof text);
  if (status != SEC_E_OK) {
    printf("schannel: no answer: %#lx\n", status);
    return 1;
  }
  printf("schannel: trusts %s, which says: %s\n", thumbprint, text);
  return 0;
}

// connect_to connects once, with a certificate if one is given.
int connect_to(int count, char **arguments) {
  static struct connection c;
  static wchar_t name[256];
  PCCERT_CONTEXT certificate = NULL;
  SECURITY_STATUS status;
  int code = 1;
  MultiByteToWideChar(CP_UTF8, 0, arguments[1], -1, name, 256);
  SecInvalidateHandle(&c.credential);
  c.name = name;
  if (count > 2 && !(certificate = find_certificate(arguments[2]))) {
    printf("schannel: there is no certificate %s: %#lx\n", arguments[2], GetLastError());
    return 1;
  }
  c.socket = dial(atoi(arguments[0]));
  if ((status = handshake(&c, certificate)) != SEC_E_OK) printf("schannel: no handshake: %#lx\n", status);
  else code = talk(&c);
  close_connection(&c);
  if (certificate) CertFreeCertificateContext(certificate);
  return code;
}
