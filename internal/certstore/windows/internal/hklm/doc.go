// Package hklm reads and writes single values below HKEY_LOCAL_MACHINE
// (https://learn.microsoft.com/windows/win32/sysinfo/registry-functions). Its errors name the value.
package hklm
