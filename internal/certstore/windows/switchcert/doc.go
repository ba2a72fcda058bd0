// Package switchcert announces with PowerShell's Switch-Certificate that a certificate has replaced another
// (https://learn.microsoft.com/powershell/module/pki/switch-certificate).
package switchcert
