// Package exchange is the HTTP side of a request to a vault or a token service: the one transport of the process, the transcript
// of what happened on the wire, and the errors by which a failed exchange is classified. It is the lowest of the packages below
// internal/keyvault and imports none of them but recent.
package exchange
