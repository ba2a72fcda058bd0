package doctor

import (
	"time"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// controllerName is the name of the controller's Deployment and of its Lease.
const controllerName = "vaultpane-controller"

// leaderGone is how old the leader's Lease may be. The leader renews it every 2 s, and another takes over after 15 s.
const leaderGone = time.Minute

// findController looks for a controller that leads.
func findController(s *Snapshot) []Finding {
	if s.Controller.Spec.Replicas != nil && *s.Controller.Spec.Replicas == 0 {
		return []Finding{finding(Problem, "the controller is scaled to zero: nothing writes the status of certificates or removes the startup taint").
			do("Scale it up.", s.kubectl("scale deployment/"+s.Controller.Name+" --replicas=2"))}
	}
	lease := s.lease(controllerName)
	switch {
	case lease == nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "":
		return []Finding{s.noLeader("no controller leads")}
	case s.Server.Sub(writtenAt(lease)) > leaderGone:
		return []Finding{s.noLeader("the controller " + *lease.Spec.HolderIdentity + " has not renewed its Lease for " + terminal.Age(s.Server.Sub(writtenAt(lease))))}
	}
	return nil
}

func (s *Snapshot) noLeader(what string) Finding {
	return finding(Problem, "%s: the status of certificates is out of date, and nodes keep their startup taint", what).
		do("Look at its pods and log.", s.kubectl("describe deployment/"+s.Controller.Name))
}
