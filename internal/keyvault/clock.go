package keyvault

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"time"
)

// clockTolerance is how far a node's clock may be off before a message says so. Entra ID and Key Vault accept five minutes.
const clockTolerance = 5 * time.Minute

// clockNote says that this node's clock differs from that of a server which refused a token, and by how much; both are empty when
// it does not.
func clockNote(header http.Header, server string) (note, detail string) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return "", ""
	}
	return skewNote(time.Until(date), server)
}

func skewNote(ahead time.Duration, server string) (note, detail string) {
	switch {
	case ahead > clockTolerance:
		return "; this node's clock is behind the " + server + "'s: set it", fmt.Sprintf("the node's clock is %s behind", ahead.Round(time.Second))
	case ahead < -clockTolerance:
		return "; this node's clock is ahead of the " + server + "'s: set it", fmt.Sprintf("the node's clock is %s ahead", (-ahead).Round(time.Second))
	}
	return "", ""
}

// outOfTime says how a server's certificate and this node's clock differ. Which of the two is wrong cannot be seen from here.
func outOfTime(certificate *x509.Certificate, now time.Time) string {
	when := "expired on " + stamp(certificate.NotAfter)
	if now.Before(certificate.NotBefore) {
		when = "is not valid before " + stamp(certificate.NotBefore)
	}
	return "the server's certificate " + when + " by this node's clock; set the clock if it is wrong, else find out what presents that certificate, such as an inspecting proxy"
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
