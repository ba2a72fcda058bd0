// Package powershell runs fixed scripts with Windows' own PowerShell, for what no documented function does.
package powershell
