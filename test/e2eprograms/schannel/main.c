#include "program.h"

static int usage(void) {
  puts("usage: schannel serve PORT THUMBPRINT once|again\n"
       "       schannel connect PORT NAME THUMBPRINT ROOT");
  return 2;
}

int main(int count, char **arguments) {
  WSADATA sockets;
  int code;
  setvbuf(stdout, NULL, _IONBF, 0); // the test reads along
  if (WSAStartup(MAKEWORD(2, 2), &sockets) != 0) return 1;
  if (count == 5 && strcmp(arguments[1], "serve") == 0) code = serve(arguments + 2);
  else if (count == 6 && strcmp(arguments[1], "connect") == 0) code = connect_to(arguments + 2);
  else code = usage();
  WSACleanup();
  return code;
}
