// Package wincrypt declares what golang.org/x/sys/windows lacks of crypt32.dll, advapi32.dll, ncrypt.dll and httpapi.dll. Names
// and constants are those of the Windows headers.
package wincrypt
