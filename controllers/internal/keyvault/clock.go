package keyvault

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"time"
)

// clockTolerance is how far a node's clock may be off before a message says so. Entra ID and Key Vault accept five minutes.
const clockTolerance = 5 * time.Minute

// clockNote says that this node's clock differs from that of a server which refused a token; empty when it does not.
func clockNote(header http.Header, server string) string {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return ""
	}
	return skewNote(time.Until(date), server)
}

func skewNote(ahead time.Duration, server string) string {
	switch {
	case ahead > clockTolerance:
		return fmt.Sprintf("; this node's clock is %s behind the %s's: set it", ahead.Round(time.Minute), server)
	case ahead < -clockTolerance:
		return fmt.Sprintf("; this node's clock is %s ahead of the %s's: set it", (-ahead).Round(time.Minute), server)
	}
	return ""
}

// outOfTime says how a server's certificate and this node's clock differ. Which of the two is wrong cannot be seen from here.
func outOfTime(certificate *x509.Certificate, now time.Time) string {
	when := "expired on " + stamp(certificate.NotAfter)
	if now.Before(certificate.NotBefore) {
		when = "is not valid before " + stamp(certificate.NotBefore)
	}
	return fmt.Sprintf("the server's certificate %s, and this node's clock says %s; set the clock if it is wrong, else look who presents that certificate, such as an inspecting proxy",
		when, stamp(now))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
