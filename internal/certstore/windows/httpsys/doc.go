// Package httpsys reads and changes the TLS bindings of http.sys, the kernel's HTTP server
// (https://learn.microsoft.com/windows/win32/api/http/nf-http-httpqueryserviceconfiguration).
package httpsys
