package exchange

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"time"
)

// clockTolerance is the clock skew below which a message does not mention it. Entra ID and Key Vault accept five minutes.
const clockTolerance = 5 * time.Minute

// ClockNote compares this node's clock with the Date header of a server that refused a token. If they differ, note is the end of a
// message, and detail has the difference; otherwise both are empty.
func ClockNote(header http.Header, server string) (note, detail string) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return "", ""
	}
	return skewNote(time.Until(date), server)
}

func skewNote(ahead time.Duration, server string) (note, detail string) {
	switch {
	case ahead > clockTolerance:
		return "; this node's clock is behind the " + server + "'s: synchronize it", fmt.Sprintf("the node's clock is %s behind", ahead.Round(time.Second))
	case ahead < -clockTolerance:
		return "; this node's clock is ahead of the " + server + "'s: synchronize it", fmt.Sprintf("the node's clock is %s ahead", (-ahead).Round(time.Second))
	}
	return "", ""
}

// outsideValidity describes a server certificate that is not valid according to this node's clock. Either may be wrong; which one
// cannot be seen from here.
func outsideValidity(certificate *x509.Certificate, now time.Time) string {
	when := "expired on " + Stamp(certificate.NotAfter)
	if now.Before(certificate.NotBefore) {
		when = "is not valid before " + Stamp(certificate.NotBefore)
	}
	return "the server's certificate " + when + " according to this node's clock; correct the clock if it is wrong, otherwise find what presents that certificate, such as a TLS-inspecting proxy"
}

// Stamp formats a time for messages: RFC 3339 in UTC.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
