// Package remotedesktop reads and sets the certificate of the listener of Remote Desktop, RDP-Tcp
// (https://learn.microsoft.com/troubleshoot/windows-server/remote/remote-desktop-listener-certificate-configurations).
package remotedesktop

// Service is the service of the listener. Its account reads the private key.
const Service = "TermService"
