package certstore

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// storeRoot is the store of trusted root certificates.
const storeRoot = "Root"

// trustStores hold certificates that the machine trusts, and never a key
// (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
var trustStores = []string{storeRoot, StoreCA, "TrustedPeople", "TrustedPublisher"}

// HoldsTrust tells whether a store receives public certificates only.
func HoldsTrust(ref Ref) bool {
	for _, name := range trustStores {
		if strings.EqualFold(name, ref.Name) {
			return true
		}
	}
	return false
}

// Trusted chooses from a secret what goes into a store that holds trust. A secret without key goes in whole, since it was made
// for this; only a cross certificate between two keys of one authority never becomes a root. Of a served certificate Root takes
// the self-signed authorities, since any other would become a root by being put there; where it has none and is self-signed
// itself, as Key Vault's own issuer makes it, it goes in and is trusted alone. CA takes all authorities, and the other stores
// the leaf. The error is a *bundle.Error.
func Trusted(ref Ref, secret *bundle.Bundle) ([]*x509.Certificate, error) {
	root := strings.EqualFold(ref.Name, storeRoot)
	if !secret.HasKey() {
		return withoutCross(secret.Certificates(), root), nil
	}
	if !root && !strings.EqualFold(ref.Name, StoreCA) {
		return []*x509.Certificate{secret.Leaf}, nil
	}
	var authorities []*x509.Certificate
	for _, certificate := range secret.Certificates() {
		if certificate.IsCA && (!root || x509cert.SelfSigned(certificate)) {
			authorities = append(authorities, certificate)
		}
	}
	if len(authorities) > 0 {
		return authorities, nil
	}
	if root && x509cert.SelfSigned(secret.Leaf) {
		return []*x509.Certificate{secret.Leaf}, nil
	}
	kind := "certificate authority"
	if root {
		kind = "self-signed certificate authority"
	}
	return nil, &bundle.Error{Reason: bundle.MalformedSecret, Message: fmt.Sprintf("the secret holds no %s for the store %s: import the certificate with its whole chain, or make a secret of the authority's certificate alone", kind, ref.Name)}
}

// withoutCross leaves out of what becomes a root the certificates that name themselves as their issuer and are signed with
// another key (RFC 5280, section 3.2, self-issued), unless nothing else is there.
func withoutCross(certificates []*x509.Certificate, root bool) []*x509.Certificate {
	anchors := slices.DeleteFunc(slices.Clone(certificates), func(c *x509.Certificate) bool {
		return bytes.Equal(c.RawIssuer, c.RawSubject) && !x509cert.SelfSigned(c)
	})
	if !root || len(anchors) == 0 {
		return certificates
	}
	return anchors
}

// planTrusted brings certificates into a store that holds trust. One that is there already is used as it is, whoever put it
// there; one that came along with somebody's chain is kept from going with it.
func planTrusted(desired Desired, observed Observed) ([]Action, error) {
	var actions []Action
	for _, certificate := range desired.Trusted {
		thumbprint := Thumbprint(certificate)
		entry := observed.find(desired.Ref, thumbprint)
		switch {
		case entry == nil:
			actions = append(actions, &Install{Ref: desired.Ref, Item: Item{
				Certificate: certificate, Mark: desired.Mark, FriendlyName: desired.FriendlyName,
			}})
		case entry.UnknownMark:
			return nil, unknownMark(desired.Ref, thumbprint)
		case entry.Mark == nil || *entry.Mark == desired.Mark:
		case entry.Mark.Role == RoleIntermediate || entry.Mark.UID == desired.Mark.UID || !observed.alive(entry.Mark.UID):
			actions = append(actions, &Update{Ref: desired.Ref, Thumbprint: thumbprint, Change: Change{Mark: &desired.Mark}})
		}
	}
	return actions, nil
}
