package status

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Overview is all certificates at a glance.
type Overview struct {
	// Certificates are in the order of their expiry, the soonest first.
	Certificates []Certificate `json:"certificates"`
	// Problems are what is wrong, by reason, the worst first.
	Problems []Problem `json:"problems"`
	// Summary counts the certificates.
	Summary Summary `json:"summary"`
}

// Summary counts certificates by state.
type Summary struct {
	Certificates int `json:"certificates"`
	Installed    int `json:"installed"`
	RollingOut   int `json:"rollingOut"`
	Failed       int `json:"failed"`
	Suspended    int `json:"suspended"`
	NoNodes      int `json:"noNodes"`
	Unprocessed  int `json:"unprocessed"`
	// NeedsAction is the number of certificates with a failed node, failing polls or a near expiry. The command's exit code is 1 if
	// there is one.
	NeedsAction int `json:"needsAction"`
	// NextExpiry is that of the first certificate in the list that has not expired yet.
	NextExpiry *Expiry `json:"nextExpiry,omitempty"`
}

// Expiry is when a certificate expires.
type Expiry struct {
	Certificate string      `json:"certificate"`
	NotAfter    metav1.Time `json:"notAfter"`
}

// NewOverview computes the overview from the certificates alone.
func NewOverview(certificates []v1alpha1.ObservedCertificate, now time.Time) Overview {
	overview := Overview{Certificates: make([]Certificate, 0, len(certificates)), Problems: problemsOf(certificates)}
	for i := range certificates {
		overview.Certificates = append(overview.Certificates, certificateOf(&certificates[i]))
	}
	slices.SortFunc(overview.Certificates, byExpiry)
	overview.Summary = summarize(overview.Certificates, now)
	return overview
}

// Failing reports whether a certificate needs action.
func (o Overview) Failing() bool { return o.Summary.NeedsAction > 0 }

// summarize counts certificates, which are in the order of their expiry.
func summarize(certificates []Certificate, now time.Time) Summary {
	s := Summary{Certificates: len(certificates)}
	for _, c := range certificates {
		s.count(c)
		if s.NextExpiry == nil && c.NotAfter != nil && c.NotAfter.After(now) {
			s.NextExpiry = &Expiry{c.Name, *c.NotAfter}
		}
	}
	return s
}

func (s *Summary) count(c Certificate) {
	if c.needsAction() {
		s.NeedsAction++
	}
	switch c.State {
	case StateInstalled:
		s.Installed++
	case StateRollingOut:
		s.RollingOut++
	case StateFailed:
		s.Failed++
	case StateSuspended:
		s.Suspended++
	case StateNoNodes:
		s.NoNodes++
	case StateUnprocessed:
		s.Unprocessed++
	}
}
