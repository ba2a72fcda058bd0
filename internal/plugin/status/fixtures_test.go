package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(-d)} }
func after(d time.Duration) *metav1.Time  { return &metav1.Time{Time: now.Add(d)} }

const day = 24 * time.Hour

const (
	oldVersion = "170e83b97d0676b6db60e0bc09431224"
	newVersion = "5bbe093aa85df6a9d4924a1e20dda479"
	oldPrint   = "170E83B97D0676B6DB60E0BC094312248647F736"
	newPrint   = "5BBE093AA85DF6A9D4924A1E20DDA4792524A7F2"
)

const denied = "vault shop.vault.azure.net, secret old: 403 Forbidden, inner error ForbiddenByRbac: the identity (client id 00000000-0000-4000-8000-000000000001) may not read the secret; give it the role Key Vault Secrets User on the vault or on the secret"

// condition returns a condition of a certificate.
func condition(name string, status metav1.ConditionStatus, reason, message string, since time.Duration) metav1.Condition {
	return metav1.Condition{Type: name, Status: status, Reason: reason, Message: message, ObservedGeneration: 1, LastTransitionTime: *before(since)}
}

// observed returns a certificate with these counts of nodes and conditions.
func observed(name string, expires *metav1.Time, installed, failed, pending int32, conditions ...metav1.Condition) v1alpha1.ObservedCertificate {
	return v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1},
		Spec:       v1alpha1.ObservedCertificateSpec{URL: "https://shop.vault.azure.net/secrets/" + name, CertificateStoreName: "MY", CertificateStoreLocation: v1alpha1.LocalMachine},
		Status: v1alpha1.ObservedCertificateStatus{
			Conditions: conditions, ObservedGeneration: 1, Version: newVersion, Thumbprint: newPrint, NotAfter: expires,
			Nodes: &v1alpha1.NodeCounts{Matched: installed + failed + pending, Installed: installed, Failed: failed, Pending: pending},
		},
	}
}

// gateway is installed everywhere.
func gateway() v1alpha1.ObservedCertificate {
	return observed("gateway", after(86*day), 50, 0, 0,
		condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Installed", "installed on 50 of 50 nodes", 41*day))
}

// web is rolling out.
func web() v1alpha1.ObservedCertificate {
	web := observed("web", after(92*day), 34, 0, 16,
		condition(v1alpha1.ConditionReady, metav1.ConditionUnknown, "RollingOut", "16 of 50 nodes pending: Superseded (16)", 3*time.Minute),
		condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, "RollingOut", "16 of 50 nodes pending: Superseded (16)", 3*time.Minute))
	web.Status.Uses = []v1alpha1.UseCounts{{Name: "httpSys 0.0.0.0:443", Bound: 34, Pending: 16}, {Name: "remoteDesktop", Bound: 34, Pending: 16}}
	web.Status.Failures = []v1alpha1.NodeFailure{{Node: "win-34", Reason: v1alpha1.ReasonSuperseded, Message: "the node has version " + oldVersion}}
	return web
}

// canary is rolled back, and then a failure stops the next wave of the next version.
func canary() v1alpha1.ObservedCertificate {
	canary := observed("canary", after(92*day), 2, 1, 47,
		condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "KeyMismatch", "1 of 50 nodes failed: KeyMismatch (1); 47 pending: WaitingForWave (47)", 3*time.Minute),
		condition(v1alpha1.ConditionVersionWatched, metav1.ConditionTrue, "RolledBack", "the newer version "+oldVersion+" is disabled", time.Hour),
		condition(v1alpha1.ConditionRolloutHalted, metav1.ConditionTrue, "KeyMismatch", "wave 2 does not start, because 1 node of the waves before failed", 3*time.Minute))
	canary.Spec.Rollout = &v1alpha1.Rollout{Waves: make([]v1alpha1.Wave, 2)}
	canary.Status.LatestVersion = &v1alpha1.LatestVersion{Version: newVersion, RollbackFrom: oldVersion}
	canary.Status.Rollout = &v1alpha1.RolloutStatus{Version: newVersion, Wave: 1}
	return canary
}

// unseen is installed everywhere, and the version watch may not list its versions.
func unseen() v1alpha1.ObservedCertificate {
	unseen := gateway()
	unseen.Name = "unseen"
	unseen.Status.Conditions = append(unseen.Status.Conditions, condition(v1alpha1.ConditionVersionWatched, metav1.ConditionFalse, "AccessDenied",
		`the nodes poll at their own interval, because the version watch fails: grant "Key Vault Reader" on shop.vault.azure.net`, time.Hour))
	return unseen
}

// old has failed on two nodes.
func old() v1alpha1.ObservedCertificate {
	old := observed("old", after(4*day), 47, 2, 1,
		condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "AccessDenied", "2 of 50 nodes failed: AccessDenied (2); 1 pending: Throttled (1)", 4*time.Hour),
		condition(v1alpha1.ConditionExpiringSoon, metav1.ConditionTrue, "ExpiringSoon", "50 nodes have a certificate that expires on 2026-12-03T12:00:00Z", 3*day))
	old.Status.Failures = []v1alpha1.NodeFailure{
		{Node: "win-1", Reason: v1alpha1.ReasonAccessDenied, Message: denied},
		{Node: "win-2", Reason: v1alpha1.ReasonAccessDenied, Message: denied},
		{Node: "win-3", Reason: v1alpha1.ReasonThrottled, Message: "vault shop.vault.azure.net: 429 Too Many Requests"},
	}
	return old
}

// fleetWide fail on all nodes for one reason.
func fleetWide(count int) []v1alpha1.ObservedCertificate {
	var all []v1alpha1.ObservedCertificate
	for number := range count {
		name := fmt.Sprintf("cert-%03d", number)
		c := observed(name, nil, 0, 50, 0,
			condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "VaultNotAllowed", "50 of 50 nodes failed: VaultNotAllowed (50)", time.Hour),
			condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "VaultNotAllowed", "50 of 50 nodes failed: VaultNotAllowed (50)", time.Hour))
		c.Status.Version, c.Status.Thumbprint = "", ""
		c.Status.Failures = []v1alpha1.NodeFailure{{Node: "win-0", Reason: v1alpha1.ReasonVaultNotAllowed, Message: "the vault's host shop.example is not allowed"}, {Node: "win-1", Reason: v1alpha1.ReasonVaultNotAllowed}}
		all = append(all, c)
	}
	return all
}

// shop has a certificate in every state.
func shop() []v1alpha1.ObservedCertificate {
	typo := observed("typo", nil, 0, 0, 0, condition(v1alpha1.ConditionReady, metav1.ConditionUnknown, "NoNodesSelected", "no node matches spec.nodeSelector; 50 nodes run the agent", 2*time.Minute))
	typo.Status.Version, typo.Status.Thumbprint = "", ""
	fresh := v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: "fresh", Generation: 1}, Spec: v1alpha1.ObservedCertificateSpec{URL: "https://shop.vault.azure.net/secrets/fresh", CertificateStoreName: "WebHosting"}}
	parked := observed("parked", after(200*day), 50, 0, 0, condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Suspended", "installed on 50 of 50 nodes; suspended: nothing is polled or changed", 9*day))
	parked.Spec.Suspend = true
	throttled := observed("payments-of-the-european-market-place", after(60*day), 50, 0, 0,
		condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Installed", "installed on 50 of 50 nodes", 30*day),
		condition(v1alpha1.ConditionSyncFailing, metav1.ConditionTrue, "VaultUnreachable", "polls fail on 12 of 50 nodes where a valid certificate is installed, so a renewal would not be installed: VaultUnreachable (12); on win-7: vault pay.vault.azure.net: no route to host", time.Hour))
	linked := observed("iis", after(70*day), 50, 0, 0,
		condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Installed", "installed on 50 of 50 nodes", 30*day),
		condition(v1alpha1.ConditionLinkDeclined, metav1.ConditionTrue, "LinkDeclined", "an older version is not linked to the current one on 50 of 50 nodes; on win-0: the new certificate lacks the name www.shop.example", time.Hour))
	linked.Status.Conditions = append(linked.Status.Conditions, condition(v1alpha1.ConditionUseFailed, metav1.ConditionTrue, "UseFailed", "a program does not use the certificate on 1 of 50 nodes; on win-9: httpSys 0.0.0.0:443: it has the certificate "+oldPrint+", which is no version of this ObservedCertificate, and is left alone", time.Hour))
	linked.Status.Uses = []v1alpha1.UseCounts{{Name: "httpSys 0.0.0.0:443", Bound: 49, Failed: 1}, {Name: "service w3svc", Bound: 50}}
	return []v1alpha1.ObservedCertificate{gateway(), web(), old(), typo, fresh, parked, throttled, linked}
}

// reports are the reports of 50 nodes about web and old.
func reports() map[string]Reported {
	nodes := map[string]Reported{}
	for number := range 50 {
		entries := map[string]v1alpha1.CertificateEntry{
			"web": {Name: "web", Generation: 1, Version: newVersion, Thumbprint: newPrint, NotAfter: after(92 * day)},
			"old": {Name: "old", Generation: 1, Version: newVersion, Thumbprint: newPrint, NotAfter: after(4 * day)},
		}
		if number >= 34 {
			entries["web"] = v1alpha1.CertificateEntry{Name: "web", Generation: 1, Version: oldVersion, Thumbprint: oldPrint, NotAfter: after(10 * day)}
		}
		switch number {
		case 1, 2:
			entries["old"] = v1alpha1.CertificateEntry{Name: "old", Generation: 1, Version: oldVersion, Thumbprint: oldPrint, NotAfter: after(3 * day), State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonAccessDenied, Message: denied, Since: before(4 * time.Hour)}
		case 3:
			entries["old"] = v1alpha1.CertificateEntry{Name: "old", Generation: 1, State: v1alpha1.StatePending, Reason: v1alpha1.ReasonThrottled, Message: "vault shop.vault.azure.net: 429 Too Many Requests", Since: before(time.Minute)}
		case 4:
			delete(entries, "old")
		}
		nodes[fmt.Sprintf("win-%d", number)] = Reported{AgentVersion: "v0.5.0", Certificates: entries}
	}
	return nodes
}

// authorities come from a ConfigMap.
func authorities() v1alpha1.ObservedCertificate {
	authorities := observed("authorities", after(900*day), 50, 0, 0,
		condition(v1alpha1.ConditionReady, metav1.ConditionTrue, "Installed", "installed on 50 of 50 nodes", 41*day),
		condition(v1alpha1.ConditionVersionWatched, metav1.ConditionFalse, "ConfigMap", "the certificates are in a ConfigMap, which the nodes watch themselves", 41*day))
	authorities.Spec.URL, authorities.Spec.CertificateStoreName = "", "Root"
	authorities.Spec.ConfigMap = &v1alpha1.ConfigMapKey{Name: "corporate", Key: "ca.crt"}
	return authorities
}
