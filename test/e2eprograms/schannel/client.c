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

// check checks the server's certificate. It returns whether the client trusts it.
static BOOL check(struct connection *c) {
  char thumbprint[THUMBPRINT_SIZE] = "nobody";
  PCCERT_CONTEXT server = remote_certificate(c);
  DWORD error = server ? verify(server, c->name) : (DWORD)SEC_E_CERT_UNKNOWN;
  if (server) thumbprint_of(server, thumbprint);
  if (server) CertFreeCertificateContext(server);
  if (error) printf("schannel: does not trust %s: %#lx\n", thumbprint, error);
  else printf("schannel: trusts %s\n", thumbprint);
  return error == 0;
}

// ask asks for a page, and prints it.
static SECURITY_STATUS ask(struct connection *c) {
  static char text[MAX_TEXT];
  SECURITY_STATUS status = send_text(c, "GET / HTTP/1.0\r\n\r\n");
  while (status == SEC_E_OK && (status = receive_text(c, text)) == SEC_E_OK) printf("%s", text);
  if (status != SEC_I_CONTEXT_EXPIRED) printf("schannel: no page: %#lx\n", status);
  return status;
}

// connect_to connects once, with a certificate.
int connect_to(char **arguments) {
  static struct connection c;
  static wchar_t name[256];
  PCCERT_CONTEXT certificate;
  SECURITY_STATUS status;
  int code = 1;
  MultiByteToWideChar(CP_UTF8, 0, arguments[1], -1, name, 256);
  SecInvalidateHandle(&c.credential);
  c.name = name;
  if (!await_root(arguments[3])) return 1;
  if (!(certificate = find_certificate(arguments[2]))) {
    printf("schannel: there is no certificate %s: %#lx\n", arguments[2], GetLastError());
    return 1;
  }
  c.socket = dial(atoi(arguments[0]));
  if ((status = handshake(&c, certificate)) != SEC_E_OK) printf("schannel: no handshake: %#lx\n", status);
  else if (!check(&c)) code = 3;
  else code = ask(&c) == SEC_I_CONTEXT_EXPIRED ? 0 : 1;
  close_connection(&c);
  CertFreeCertificateContext(certificate);
  return code;
}
