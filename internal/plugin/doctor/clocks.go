package doctor

import (
	"cmp"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
)

const (
	// unusualSkew is how far a clock may be from the API server's. Its times have a resolution of a second.
	unusualSkew = 30 * time.Second
	// tooMuchSkew is how far a node's clock may be from the right time before Entra ID refuses its tokens.
	tooMuchSkew = 5 * time.Minute
)

// findClocks compares the clocks of the nodes and of this machine with the API server's.
func findClocks(s *Snapshot) []Finding {
	var findings []Finding
	if skew := s.Local.Sub(s.Server); skew.Abs() > unusualSkew {
		findings = append(findings, finding(Note, "the clock of this machine is %s the API server's; what is shown here goes by the API server's", ahead(skew)).
			do("Set the clock of this machine, or of the API server's.", ""))
	}
	var off, far []string
	var firstOff, firstFar string
	for i := range s.Leases {
		lease := &s.Leases[i]
		if lease.Name == controllerName || s.Node != "" && lease.Name != s.Node {
			continue
		}
		switch skew := skewOf(lease); {
		case skew.Abs() > tooMuchSkew:
			firstFar = cmp.Or(firstFar, lease.Name)
			far = append(far, fmt.Sprintf("%s is %s", lease.Name, ahead(skew)))
		case skew.Abs() > unusualSkew:
			firstOff = cmp.Or(firstOff, lease.Name)
			off = append(off, fmt.Sprintf("%s is %s", lease.Name, ahead(skew)))
		}
	}
	if len(far) > 0 {
		findings = append(findings, s.skewed(Problem, firstFar, far, "Azure refuses tokens, and certificates count as not yet valid or expired too early"))
	}
	if len(off) > 0 {
		findings = append(findings, s.skewed(Warning, firstOff, off, "beyond 5 minutes, Azure refuses tokens"))
	}
	return findings
}

func (s *Snapshot) skewed(level Level, first string, nodes []string, effect string) Finding {
	return finding(level, "clocks of nodes differ from the API server's: %s it; %s", list(nodes), effect).
		do("Correct the time service of the nodes: w32tm /resync, in the agent's pod or on the node.", s.kubectl("exec "+s.agentOn(first)+" -- w32tm /query /status"))
}

// skewOf returns how far a node's clock is ahead of the API server's. The agent writes its own time into the Lease, and the API server
// records when it stored that (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management), within a second.
func skewOf(lease *coordinationv1.Lease) time.Duration {
	if lease.Spec.RenewTime == nil || len(lease.ManagedFields) == 0 {
		return 0
	}
	return lease.Spec.RenewTime.Sub(writtenAt(lease)).Truncate(time.Second)
}

func ahead(skew time.Duration) string {
	if skew < 0 {
		return fmt.Sprint(-skew.Round(time.Second), " behind")
	}
	return fmt.Sprint(skew.Round(time.Second), " ahead of")
}
