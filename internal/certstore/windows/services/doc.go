// Package services restarts Windows services, and keeps in the registry for which certificates it did
// (https://learn.microsoft.com/windows/win32/services/services).
//
// The records are below HKLM\SOFTWARE\Vaultpane\Services, in a key with the service's name. Only Administrators and SYSTEM can write
// there, as below all of HKLM\SOFTWARE. They survive the agent: one that is killed between stopping and starting a service leaves an
// intent, by which the next one knows that the service must run.
package services
