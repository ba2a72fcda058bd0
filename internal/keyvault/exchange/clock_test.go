package exchange

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAClockSkewIsReported(t *testing.T) {
	tests := []struct {
		name         string
		ahead        time.Duration
		want, detail string
	}{
		{"the same", 0, "", ""},
		{"within what is accepted", -clockTolerance, "", ""},
		{"a node that is behind", 90 * time.Minute, "; this node's clock is behind the vault's: synchronize it", "the node's clock is 1h30m0s behind"},
		{"a node that is ahead", -26 * time.Hour, "; this node's clock is ahead of the vault's: synchronize it", "the node's clock is 26h0m0s ahead"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, detail := skewNote(test.ahead, "vault"); got != test.want || detail != test.detail {
				t.Errorf("got %q and %q, want %q and %q", got, detail, test.want, test.detail)
			}
		})
	}
	if got, _ := ClockNote(http.Header{"Date": {"yesterday"}}, "vault"); got != "" {
		t.Errorf("got %q for an invalid date", got)
	}
}

func TestACertificateOutsideItsValidityIsReportedWithItsDates(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	certificate := &x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	for want, when := range map[string]time.Time{
		"expired on 2026-11-25T13:00:00Z according to this node's clock":          now.Add(24 * time.Hour),
		"is not valid before 2026-11-25T11:00:00Z according to this node's clock": now.Add(-24 * time.Hour),
	} {
		if got := outsideValidity(certificate, when); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
