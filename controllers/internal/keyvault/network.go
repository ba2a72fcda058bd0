package keyvault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func networkFault(secret SecretURL, host string, cause error) *Fault {
	reason, why := networkProblem(cause)
	peer := "vault " + host
	if host != secret.Authority() {
		peer = "token service " + host + ", asked for vault " + secret.Authority()
		if reason == v1alpha1.ReasonVaultNotFound {
			reason = v1alpha1.ReasonVaultUnreachable // the vault itself may well exist
			why = "the host name does not resolve; check AZURE_AUTHORITY_HOST and the node's name servers"
		}
	}
	return &Fault{Reason: reason, Message: fmt.Sprintf("reading secret %q: %s: %s", secret.Name, peer, why)}
}

// networkProblem classifies by type, never by text.
func networkProblem(cause error) (v1alpha1.Reason, string) {
	var name *net.DNSError
	var operation *net.OpError
	var timeout net.Error
	switch {
	case errors.As(cause, &operation) && operation.Op == "proxyconnect":
		return v1alpha1.ReasonVaultUnreachable, "no connection to the web proxy: " + oneLine(rootCause(operation.Err)) + "; check HTTPS_PROXY and NO_PROXY"
	case errors.As(cause, &name) && name.IsNotFound:
		return v1alpha1.ReasonVaultNotFound, "the host name does not resolve; check the vault's name, and the DNS zone of its private endpoint if it has one"
	case isTLSError(cause):
		return v1alpha1.ReasonTLSFailure, "TLS: " + oneLine(rootCause(cause)) + "; check the node's clock, an inspecting proxy, and --ca-bundle"
	case errors.Is(cause, errNotJSON):
		return v1alpha1.ReasonVaultUnreachable, "it answered with something that is not Key Vault's JSON; check what stands between the node and the vault, such as a web proxy or a sign-in page"
	case errors.Is(cause, errTooLarge):
		return v1alpha1.ReasonVaultUnreachable, errTooLarge.Error()
	case errors.As(cause, &timeout) && timeout.Timeout():
		return v1alpha1.ReasonVaultUnreachable, "no answer in time; check the network path from the node"
	case errors.As(cause, &operation):
		return v1alpha1.ReasonVaultUnreachable, "no connection: " + oneLine(rootCause(operation.Err)) + "; check the network path from the node"
	default:
		return v1alpha1.ReasonVaultUnreachable, "the connection broke off: " + oneLine(rootCause(cause))
	}
}

func isTLSError(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &header) || errors.As(err, &alert)
}

// rootCause returns the innermost error's text: the outer ones repeat the URL.
func rootCause(err error) string {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err.Error()
}
