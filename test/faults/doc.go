// Command faults kills the agent again and again, while certificates are renewed, moved and changed, and watches its store from
// outside: at no moment may a certificate be without its key or a name without a valid certificate, and when all is quiet
// nothing may be left over. It is bounded in kills and time, and talks to this machine only.
package main
