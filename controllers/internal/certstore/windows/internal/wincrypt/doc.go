// Package wincrypt declares what golang.org/x/sys/windows lacks of crypt32.dll, advapi32.dll and ncrypt.dll. Names and
// constants are those of the Windows headers.
package wincrypt
