#include "program.h"

static int usage(void) {
  puts("usage: schannel serve PORT THUMBPRINT once|again [clients]\n"
       "       schannel connect PORT NAME [THUMBPRINT]");
  return 2;
}

int main(int count, char **arguments) {
  WSADATA sockets;
  int code;
  setvbuf(stdout, NULL, _IONBF, 0); // the test reads along
  if (WSAStartup(MAKEWORD(2, 2), &sockets) != 0) return 1;
  if (count >= 5 && strcmp(arguments[1], "serve") == 0) code = serve(count - 2, arguments + 2);
  else if (count >= 4 && strcmp(arguments[1], "connect") == 0) code = connect_to(count - 2, arguments + 2);
  else code = usage();
  WSACleanup();
  return code;
}
