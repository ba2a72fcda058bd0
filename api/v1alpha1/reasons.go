package v1alpha1

// Reason names a failure, or what else explains the state of a certificate on a node. Every reason is in the table Reasons.
// +kubebuilder:validation:MaxLength=64
type Reason string

// Class says who must act to resolve a reason, which decides when the next attempt is made.
type Class string

// Classes of reasons. The installed certificate stays in place in all of them.
const (
	// ClassNone is the class of reasons that are not failures.
	ClassNone Class = "None"
	// ClassTerminal needs another spec: no retry until it changes.
	ClassTerminal Class = "Terminal"
	// ClassWaiting needs a change outside the spec: retried at the polling interval, and sooner at first.
	ClassWaiting Class = "Waiting"
	// ClassTransient resolves itself: retried with exponential backoff and jitter, never before Retry-After.
	ClassTransient Class = "Transient"
)

// Reasons, in the order of the table.
const (
	ReasonInstalled              Reason = "Installed"
	ReasonPending                Reason = "Pending"
	ReasonSuspended              Reason = "Suspended"
	ReasonNoNodesSelected        Reason = "NoNodesSelected"
	ReasonSuperseded             Reason = "Superseded"
	ReasonRollingOut             Reason = "RollingOut"
	ReasonWaitingForWave         Reason = "WaitingForWave"
	ReasonExpiringSoon           Reason = "ExpiringSoon"
	ReasonLinkDeclined           Reason = "LinkDeclined"
	ReasonUseFailed              Reason = "UseFailed"
	ReasonRestartNeeded          Reason = "RestartNeeded"
	ReasonInvalidURL             Reason = "InvalidURL"
	ReasonVaultNotAllowed        Reason = "VaultNotAllowed"
	ReasonUnsupported            Reason = "Unsupported"
	ReasonVersionWatchRequired   Reason = "VersionWatchRequired"
	ReasonConflict               Reason = "Conflict"
	ReasonServiceNotAllowed      Reason = "ServiceNotAllowed"
	ReasonConfigMapNotAllowed    Reason = "ConfigMapNotAllowed"
	ReasonConfigMapNotFound      Reason = "ConfigMapNotFound"
	ReasonPrivateKeyNotAllowed   Reason = "PrivateKeyNotAllowed"
	ReasonUseNotFound            Reason = "UseNotFound"
	ReasonUsesAnother            Reason = "UsesAnother"
	ReasonKeyAccessMissing       Reason = "KeyAccessMissing"
	ReasonProgramFailure         Reason = "ProgramFailure"
	ReasonVaultNotFound          Reason = "VaultNotFound"
	ReasonAuthenticationFailed   Reason = "AuthenticationFailed"
	ReasonAccessDenied           Reason = "AccessDenied"
	ReasonAccessDeniedByFirewall Reason = "AccessDeniedByFirewall"
	ReasonSecretNotFound         Reason = "SecretNotFound"
	ReasonSecretDisabled         Reason = "SecretDisabled"
	ReasonSecretNotYetValid      Reason = "SecretNotYetValid"
	ReasonNotYetValid            Reason = "NotYetValid"
	ReasonBadRequest             Reason = "BadRequest"
	ReasonExpired                Reason = "Expired"
	ReasonUnsupportedContentType Reason = "UnsupportedContentType"
	ReasonMalformedSecret        Reason = "MalformedSecret"
	ReasonPrivateKeyMissing      Reason = "PrivateKeyMissing"
	ReasonKeyMismatch            Reason = "KeyMismatch"
	ReasonStoreAccessDenied      Reason = "StoreAccessDenied"
	ReasonAccountNotFound        Reason = "AccountNotFound"
	ReasonTLSFailure             Reason = "TLSFailure"
	ReasonVaultUnreachable       Reason = "VaultUnreachable"
	ReasonThrottled              Reason = "Throttled"
	ReasonStoreFailure           Reason = "StoreFailure"
	ReasonRepeatedDrift          Reason = "RepeatedDrift"
	ReasonAgentNotReporting      Reason = "AgentNotReporting"
	ReasonInternalError          Reason = "InternalError"
)

// ReasonInfo describes a reason.
type ReasonInfo struct {
	// Reason is its name.
	Reason Reason
	// Class decides when the next attempt is.
	Class Class
	// Meaning is one sentence.
	Meaning string
	// Action says what to do, empty where there is nothing to do.
	Action string
}

// Reasons is the table of all reasons; docs/errors.md is generated from it.
var Reasons = []ReasonInfo{
	{ReasonInstalled, ClassNone, "The certificate is in the store as the spec asks for it.", ""},
	{ReasonPending, ClassNone, "The certificate has not been processed yet.", "Wait for the agent's first poll."},
	{ReasonSuspended, ClassNone, "The spec sets suspend: nothing is polled or changed.", "Set suspend to false to resume."},
	{ReasonNoNodesSelected, ClassNone, "No node that runs the agent matches spec.nodeSelector.", "Compare spec.nodeSelector with the labels of the nodes."},
	{ReasonSuperseded, ClassNone, "Other nodes already have a newer version, or the version watch has published another one; this node has not fetched it yet.", "Wait for the node's next poll, with the version watch some seconds, or request one: kubectl vaultpane poll, or the annotation vaultpane.dev/requestedAt."},
	{ReasonRollingOut, ClassNone, "Nodes are still installing this version or spec, and none has failed.", "Wait; the message says how many nodes are left."},
	{ReasonWaitingForWave, ClassNone, "The node keeps its version until its wave of the roll-out (spec.rollout) starts.", "Wait; status.rollout says which wave has started. To continue at once: kubectl vaultpane promote, or the annotation vaultpane.dev/promote."},
	{ReasonExpiringSoon, ClassNone, "A node has a certificate that expires soon, and no newer version has arrived.", "Renew the certificate in the vault, or find out why the node named in failures has not received the new version."},
	{ReasonLinkDeclined, ClassNone, "linkOnRenewal is set, but an older version is not linked to the current one, so programs that use the older version keep using it. The certificate itself is installed.", "Follow the message: issue the certificate with every name of the older version, give the accounts of the older version access, or move the programs that use the older version by hand."},
	{ReasonUseFailed, ClassNone, "The certificate is installed, but an entry of spec.usedBy failed, so that a program does not use the current version.", "Follow the message; kubectl vaultpane status shows each entry."},
	{ReasonRestartNeeded, ClassNone, "An entry of spec.usedBy has the current version, which the program uses from its next start on.", "Restart the program, or add an entry for its service to spec.usedBy."},
	{ReasonInvalidURL, ClassTerminal, "The URL is not the URL of a Key Vault secret.", "Write it as https://<vault>.vault.azure.net/secrets/<name>, followed by /<version> to pin a version."},
	{ReasonVaultNotAllowed, ClassTerminal, "The vault's host is not on the agent's allow-list, so no token was requested for it.", "Correct the host, or add it to the agent's --allowed-vault-hosts (agent.allowedVaultHosts of the chart)."},
	{ReasonUnsupported, ClassTerminal, "The spec asks for something that this agent cannot do.", "Change the field that the message names, or upgrade the agent."},
	{ReasonVersionWatchRequired, ClassTerminal, "spec.rollout asks for waves, which need the controller's version watch, and that is off. Nodes install a first certificate, and replace one that is not valid or is about to expire, but no other.", "Turn the version watch on (docs/version-watch.md), or remove spec.rollout."},
	{ReasonServiceNotAllowed, ClassWaiting, "An entry of spec.usedBy names a service that the agent may not restart.", "Add the service to the agent's --allowed-services (agent.allowedServices of the chart), or remove the entry."},
	{ReasonConfigMapNotAllowed, ClassWaiting, "The agents may not read the ConfigMap.", "Add its name to trust.configMaps of the chart."},
	{ReasonConfigMapNotFound, ClassWaiting, "The ConfigMap, or its key, is not in the namespace of the agents.", "Check the name and the key, and that it is in the namespace of the agents. The installed certificates stay."},
	{ReasonPrivateKeyNotAllowed, ClassWaiting, "The ConfigMap contains a private key, so nothing of it is installed.", "Remove the key from the ConfigMap, and replace it: everyone who may read ConfigMaps in the namespace may have read it."},
	{ReasonUseNotFound, ClassWaiting, "The node has no such binding, listener, instance or service.", "Correct the entry of spec.usedBy, install the program, or create the binding (httpSys: adopt: true does)."},
	{ReasonUsesAnother, ClassWaiting, "The binding, listener or instance has a certificate that is no version of this ObservedCertificate, so it is left alone.", "Switch it once by hand, as docs/bindings.md shows; from then on it follows."},
	{ReasonKeyAccessMissing, ClassWaiting, "The account of a program may not read the certificate's private key, so the program was not switched to it.", "Add the account that the message names to spec.accounts."},
	{ReasonProgramFailure, ClassTransient, "Windows returned an error for a binding, a listener, an instance or a service.", "It is retried. Look up the status code in the message."},
	{ReasonVaultNotFound, ClassWaiting, "The vault's host name does not resolve on the node.", "Check the vault's name in the URL, that the vault exists, and that the nodes' name servers know the DNS zone of its private endpoint if it has one. A vault that is created later is found without a restart."},
	{ReasonAuthenticationFailed, ClassWaiting, "No token could be obtained for the vault, or the vault refused it.", "Follow the message, which names what to correct: the identity's client id, tenant, secret, federated credential or assignment to the node, or the node's clock."},
	{ReasonAccessDenied, ClassWaiting, "The identity may not read the secret.", "Grant the identity that the message names the role \"Key Vault Secrets User\" on the vault or the secret; in a vault with access policies, grant \"get\" for secrets. A new grant takes some minutes to take effect."},
	{ReasonAccessDeniedByFirewall, ClassWaiting, "The vault's network settings refuse the node: its address is not allowed, or the vault accepts connections through private endpoints only.", "Allow the address that the message names or the nodes' subnet in the vault's networking settings, or connect the nodes' network to a private endpoint."},
	{ReasonSecretNotFound, ClassWaiting, "The vault has no such secret or version, or it was deleted.", "Check the name and version in the URL; recover the certificate if it was deleted. The installed certificate stays."},
	{ReasonSecretDisabled, ClassWaiting, "The certificate's newest version, or the one that the URL is pinned to, is disabled in the vault.", "Enable it, or create a new version. The installed certificate stays."},
	{ReasonSecretNotYetValid, ClassWaiting, "The secret's activation date (nbf) is in the future.", "Wait until then, when it is read again, or change the activation date."},
	{ReasonNotYetValid, ClassWaiting, "The certificate is installed, but by the node's clock its validity (notBefore) begins in the future.", "Wait until then, or correct the node's clock if it is wrong. Until then a valid older version stays in place."},
	{ReasonBadRequest, ClassWaiting, "Key Vault rejects the request as invalid (HTTP 400 and similar).", "Check the URL. If it is right and the cloud's Key Vault may be older than this agent, report it with the message."},
	{ReasonExpired, ClassWaiting, "The certificate or the secret has expired.", "Follow the message: renew it in the vault, change the secret's expiration date (exp), or check the agent of a node that still has the old version."},
	{ReasonUnsupportedContentType, ClassWaiting, "The secret is not a certificate.", "Point the URL to the secret of a Key Vault certificate, whose content type is application/x-pkcs12 or application/x-pem-file. A trust store also accepts certificates without a key (PEM or PKCS#7)."},
	{ReasonMalformedSecret, ClassWaiting, "The secret's value cannot be read as a certificate.", "Import the certificate into the vault again; the message says what was found."},
	{ReasonPrivateKeyMissing, ClassWaiting, "The secret holds a certificate without its private key.", "Use the /secrets/ URL of a certificate whose policy has an exportable key, or a trust store such as Root for certificates without a key."},
	{ReasonKeyMismatch, ClassWaiting, "The private key matches none of the secret's certificates.", "Import the certificate together with its own key."},
	{ReasonConflict, ClassWaiting, "The certificate is already in the store with another owner: an older ObservedCertificate with different key options, another version of Vaultpane, or another tool that installed it without its key.", "Follow the message: give both the same key options, or remove one."},
	{ReasonStoreAccessDenied, ClassWaiting, "The agent may not write to the certificate store.", "Run the agent as NT AUTHORITY\\SYSTEM in a HostProcess container, as the chart does. On Linux, run it as root, with a folder that it may write to (agent.linux.storePath of the chart)."},
	{ReasonAccountNotFound, ClassWaiting, "An account of the spec does not exist on the node, or its domain does not answer.", "Correct its name, or create it. The certificate is installed for the other accounts."},
	{ReasonTLSFailure, ClassTransient, "The connection to the vault or the token service is not trusted.", "Follow the message: set the node's clock, trust the CA of an inspecting proxy with --ca-bundle (azure.caBundle of the chart), or correct the DNS record that points to another server."},
	{ReasonVaultUnreachable, ClassTransient, "The vault or the token service cannot be reached or returns a server error, or a device in between responds in its place.", "Nothing at first; if it lasts, check the network path from the node: routes, firewalls, web proxies, sign-in pages."},
	{ReasonThrottled, ClassTransient, "Key Vault or the token service asked for fewer requests.", "Nothing at first; if it lasts, raise pollingIntervalInS or spread the certificates over vaults."},
	{ReasonStoreFailure, ClassTransient, "The certificate store returned an error.", "It is retried. Look up the status code in the message."},
	{ReasonRepeatedDrift, ClassNone, "Another program on the node keeps removing or changing the certificate, its key, its access rights or its links. Vaultpane repairs it at growing intervals. Event only.", "Find the other program, and let only one of the two manage the certificate."},
	{ReasonAgentNotReporting, ClassWaiting, "The node should have the certificate, but its agent has not reported, cannot write its report, or has not renewed its Lease for 15 minutes.", "Check the agent's pod on that node and its log. If it cannot write its report, check its rights on nodecertificatestates."},
	{ReasonInternalError, ClassTransient, "A defect of Vaultpane.", "Report it with the agent's log."},
}

var reasonIndex = func() map[Reason]ReasonInfo {
	index := make(map[Reason]ReasonInfo, len(Reasons))
	for _, info := range Reasons {
		index[info.Reason] = info
	}
	return index
}()

// Info returns the reason's row of the table. A reason that is not in the table is an InternalError.
func (r Reason) Info() ReasonInfo {
	if info, ok := reasonIndex[r]; ok {
		return info
	}
	return reasonIndex[ReasonInternalError]
}

// IsFailure reports whether the reason is in the table and is a failure's. Conditions also have reasons that are not in the table.
func (r Reason) IsFailure() bool {
	info, known := reasonIndex[r]
	return known && info.Class != ClassNone
}

// Class returns the reason's class.
func (r Reason) Class() Class { return r.Info().Class }
