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

// identify writes the client's thumbprint, or that there is none. It returns whether the client may be served.
static BOOL identify(struct connection *c, char *client) {
  PCCERT_CONTEXT certificate = c->asks_for_certificate ? remote_certificate(c) : NULL;
  DWORD error;
  strcpy(client, "nobody");
  if (!certificate) return !c->asks_for_certificate;
  thumbprint_of(certificate, client);
  error = verify(certificate, NULL);
  if (error) printf("schannel: the client's certificate %s: %#lx\n", client, error);
  CertFreeCertificateContext(certificate);
  return error == 0;
}

// answer serves one connection: a line from the client, and one to it.
static void answer(struct connection *c, PCCERT_CONTEXT certificate) {
  char question[256], reply[256], own[THUMBPRINT_SIZE], client[THUMBPRINT_SIZE];
  SECURITY_STATUS status = handshake(c, certificate);
  thumbprint_of(certificate, own);
  if (status != SEC_E_OK) {
    printf("schannel: no handshake with %s: %#lx\n", own, status);
    return;
  }
  if (!identify(c, client)) {
    printf("schannel: a client is refused\n");
    return;
  }
  if ((status = receive_text(c, question, sizeof question)) == SEC_E_OK) {
    sprintf(reply, "served by %s to %s\n", own, client);
    status = send_text(c, reply);
  }
  printf("schannel: %s served %s: %#lx\n", own, client, status);
}

// serve serves each connection with one certificate. With again, it looks for it before each; with once, at the start only.
int serve(int count, char **arguments) {
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
    c.asks_for_certificate = count > 3;
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
