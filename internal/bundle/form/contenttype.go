// Package form recognizes what a secret's value is, and names what to do if it is not what its content type says. Of the other
// packages below internal/bundle it imports armor, failure and tlv.
package form

import "github.com/vaultpane/vaultpane/internal/bundle/failure"

// Content types of secrets with certificates; package bundle documents them.
const (
	ContentTypePFX              = "application/x-pkcs12"
	ContentTypePEM              = "application/x-pem-file"
	ContentTypeCertificate      = "application/pkix-cert"
	ContentTypeCACertificate    = "application/x-x509-ca-cert"
	ContentTypePKCS7            = "application/pkcs7-mime"
	ContentTypePKCS7Old         = "application/x-pkcs7-mime"
	ContentTypePKCS7Certificate = "application/x-pkcs7-certificates"
)

// Mismatch returns an *Error for a value that is not what its content type says. what is what it is instead.
func Mismatch(mediaType, what, remedy string) error {
	return failure.Malformed("the secret's content type is %s, but its value is %s: %s", mediaType, what, remedy)
}
