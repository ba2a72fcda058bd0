#include "program.h"

static SOCKET listen_on(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((u_short)port)};
  SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0) {
    printf("schannel: port %d: error %d\n", port, WSAGetLastError());
    return INVALID_SOCKET;
  }
  return listener;
}

// answer serves one connection: a line from the client, and one to it.
static void answer(struct connection *c, PCCERT_CONTEXT certificate) {
  char line[MAX_TEXT], thumbprint[THUMBPRINT_SIZE];
  SECURITY_STATUS status = handshake(c, certificate);
  thumbprint_of(certificate, thumbprint);
  if (status == SEC_E_OK) status = receive_text(c, line);
  if (status == SEC_E_OK) {
    sprintf(line, "served by %s\n", thumbprint);
    status = send_text(c, line);
  }
  printf("schannel: a connection with %s: %#lx\n", thumbprint, status);
}

// serve serves each connection with one certificate. With again, it looks for it before each; with once, at the start only.
int serve(char **arguments) {
  BOOL again = strcmp(arguments[2], "again") == 0;
  PCCERT_CONTEXT certificate = find_certificate(arguments[1]);
  SOCKET listener = listen_on(atoi(arguments[0]));
  if (!certificate) printf("schannel: there is no certificate %s: %#lx\n", arguments[1], GetLastError());
  if (!certificate || listener == INVALID_SOCKET) return 1;
  printf("schannel: serves\n");
  for (;;) {
    static struct connection c;
    DWORD limit = 10000; // milliseconds
    ZeroMemory(&c, sizeof c);
    SecInvalidateHandle(&c.credential);
    c.server = TRUE;
    if ((c.socket = accept(listener, NULL, NULL)) == INVALID_SOCKET) return 1;
    setsockopt(c.socket, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit);
    if (again) {
      CertFreeCertificateContext(certificate);
      if (!(certificate = find_certificate(arguments[1]))) return 1;
    }
    answer(&c, certificate);
    close_connection(&c);
  }
}
