package v1alpha1

// Reason names what is the matter with a certificate on a node. Every reason is in the table Reasons.
type Reason string

// Class says who must act before a reason goes away, and with that when the next attempt is.
type Class string

// Classes of reasons. The installed certificate stays in place in all of them.
const (
	// ClassNone is the class of reasons that are no failure.
	ClassNone Class = "None"
	// ClassTerminal needs another spec: no retry until it changes.
	ClassTerminal Class = "Terminal"
	// ClassWaiting needs someone to act elsewhere: retried at the polling interval, and sooner at first.
	ClassWaiting Class = "Waiting"
	// ClassTransient goes away by itself: retried with exponential backoff and jitter, never before Retry-After.
	ClassTransient Class = "Transient"
)

// Reasons, in the order of the table.
const (
	ReasonInstalled               Reason = "Installed"
	ReasonPending                 Reason = "Pending"
	ReasonSuspended               Reason = "Suspended"
	ReasonNoNodesSelected         Reason = "NoNodesSelected"
	ReasonSuperseded              Reason = "Superseded"
	ReasonRollingOut              Reason = "RollingOut"
	ReasonExpiringSoon            Reason = "ExpiringSoon"
	ReasonLinkDeclined            Reason = "LinkDeclined"
	ReasonInvalidURL              Reason = "InvalidURL"
	ReasonVaultNotAllowed         Reason = "VaultNotAllowed"
	ReasonUnsupported             Reason = "Unsupported"
	ReasonConflict                Reason = "Conflict"
	ReasonVaultNotFound           Reason = "VaultNotFound"
	ReasonAuthenticationFailed    Reason = "AuthenticationFailed"
	ReasonAccessDenied            Reason = "AccessDenied"
	ReasonAccessDeniedByFirewall  Reason = "AccessDeniedByFirewall"
	ReasonSecretNotFound          Reason = "SecretNotFound"
	ReasonSecretDisabled          Reason = "SecretDisabled"
	ReasonSecretNotYetValid       Reason = "SecretNotYetValid"
	ReasonNotYetValid             Reason = "NotYetValid"
	ReasonBadRequest              Reason = "BadRequest"
	ReasonExpired                 Reason = "Expired"
	ReasonUnsupportedContentType  Reason = "UnsupportedContentType"
	ReasonMalformedSecret         Reason = "MalformedSecret"
	ReasonPrivateKeyMissing       Reason = "PrivateKeyMissing"
	ReasonKeyMismatch             Reason = "KeyMismatch"
	ReasonStoreAccessDenied       Reason = "StoreAccessDenied"
	ReasonAccountNotFound         Reason = "AccountNotFound"
	ReasonTLSFailure              Reason = "TLSFailure"
	ReasonVaultUnreachable        Reason = "VaultUnreachable"
	ReasonThrottled               Reason = "Throttled"
	ReasonStoreFailure            Reason = "StoreFailure"
	ReasonRepeatedDrift           Reason = "RepeatedDrift"
	ReasonAgentNotReporting       Reason = "AgentNotReporting"
	ReasonInternalError           Reason = "InternalError"
)

// ReasonInfo describes a reason for people.
type ReasonInfo struct {
	// Reason is its name.
	Reason Reason
	// Class decides when the next attempt is.
	Class Class
	// Meaning is one sentence.
	Meaning string
	// Action is what a person does about it, empty where nothing is to be done.
	Action string
}

// Reasons is the table of all reasons; docs/errors.md is generated from it.
var Reasons = []ReasonInfo{
	{ReasonInstalled, ClassNone, "The certificate is in the store as wanted.", ""},
	{ReasonPending, ClassNone, "The certificate has not been handled yet.", "Wait for the agent's first poll."},
	{ReasonSuspended, ClassNone, "The spec says suspend: nothing is polled or changed.", "Set suspend to false to go on."},
	{ReasonNoNodesSelected, ClassNone, "No node that runs the agent has the labels that spec.nodeSelector asks for.", "Compare spec.nodeSelector with the labels of the nodes."},
	{ReasonSuperseded, ClassNone, "Other nodes have a newer version already; this one has not polled since.", "Wait for the node's next poll, or ask for one with the annotation vaultpane.dev/requestedAt."},
	{ReasonRollingOut, ClassNone, "Nodes are on their way to this version or spec, and nothing is wrong.", "Wait; the message says how many nodes are left."},
	{ReasonExpiringSoon, ClassNone, "A node has a certificate that expires soon, and its successor has not come.", "Renew the certificate in the vault, or see why the node named in failures does not follow."},
	{ReasonLinkDeclined, ClassNone, "linkOnRenewal is set, and an older version is not linked to the current one, so what uses the older one keeps using it. The certificate itself is installed.", "Do what the message says: issue the certificate with every name of the older one, or give the accounts of the older one access; or move what uses the older version by hand."},
	{ReasonInvalidURL, ClassTerminal, "The URL is not that of a Key Vault secret.", "Write it as https://<vault>.vault.azure.net/secrets/<name>, with /<version> behind it to pin a version."},
	{ReasonVaultNotAllowed, ClassTerminal, "The vault's host is not on the agent's allow-list, so no token was requested for it.", "Correct the host, or add it to the agent's --allowed-vault-hosts (agent.allowedVaultHosts of the chart)."},
	{ReasonUnsupported, ClassTerminal, "The spec asks for something that this agent cannot do.", "Change the field that the message names, or upgrade the agent."},
	{ReasonVaultNotFound, ClassWaiting, "The vault's host name does not resolve on the node.", "Check the vault's name in the URL, that the vault exists, and that the nodes' name servers know the DNS zone of its private endpoint if it has one. A vault that appears later is found without a restart."},
	{ReasonAuthenticationFailed, ClassWaiting, "No token could be obtained for the vault, or the vault refused it.", "Do what the message says about the identity: its client id, tenant, secret, federated credential or assignment to the node, or the node's clock."},
	{ReasonAccessDenied, ClassWaiting, "The identity may not read the secret.", "Grant the identity that the message names the role \"Key Vault Secrets User\" on the vault or the secret; in a vault with access policies, \"get\" for secrets. A new grant takes some minutes to work."},
	{ReasonAccessDeniedByFirewall, ClassWaiting, "The vault's network settings refuse the node: its address is not allowed, or the vault answers through private endpoints only.", "Allow the address that the message names or the nodes' subnet in the vault's networking settings, or connect the nodes' network to a private endpoint."},
	{ReasonSecretNotFound, ClassWaiting, "The vault has no such secret or version, or it was deleted.", "Check the name and version in the URL; recover the certificate if it was deleted. What is installed stays."},
	{ReasonSecretDisabled, ClassWaiting, "The certificate's newest version, or the one that the URL is pinned to, is disabled in the vault.", "Enable it, or create a new version. What is installed stays."},
	{ReasonSecretNotYetValid, ClassWaiting, "The secret's activation date (nbf) is in the future.", "Wait: it is read again then. Or change the activation date."},
	{ReasonNotYetValid, ClassWaiting, "The certificate is installed, and its validity (notBefore) begins in the future by the node's clock.", "Wait until then, or correct the node's clock if it is wrong. An older version that is valid stays in place meanwhile."},
	{ReasonBadRequest, ClassWaiting, "Key Vault understands the request and does not take it as it is (HTTP 400 and the like).", "Compare the URL with the vault. In a cloud whose Key Vault is older than this agent, report it with the message."},
	{ReasonExpired, ClassWaiting, "The certificate or the secret has expired.", "Do what the message says: renew it in the vault, move the secret's expiration date (exp), or look at the agent of a node that does not follow."},
	{ReasonUnsupportedContentType, ClassWaiting, "The secret is not a certificate.", "Point the URL to the secret of a Key Vault certificate, whose content type is application/x-pkcs12 or application/x-pem-file; a trust store takes certificates alone as well (PEM or PKCS#7)."},
	{ReasonMalformedSecret, ClassWaiting, "The secret's value cannot be read as a certificate.", "Import the certificate into the vault again; the message says what was found."},
	{ReasonPrivateKeyMissing, ClassWaiting, "The secret holds a certificate without its private key.", "Use the /secrets/ URL of a certificate whose policy has an exportable key, or a trust store such as Root for certificates alone."},
	{ReasonKeyMismatch, ClassWaiting, "The private key fits none of the secret's certificates.", "Import the certificate together with its own key."},
	{ReasonConflict, ClassWaiting, "The certificate is already in the store and belongs to someone else: an older ObservedCertificate with other key options, another version of Vaultpane, or another tool that left out its key.", "Do what the message says: give both the same key options, or remove one."},
	{ReasonStoreAccessDenied, ClassWaiting, "The agent may not write to the certificate store.", "Run the agent as NT AUTHORITY\\SYSTEM in a HostProcess container, as the chart does; on Linux as root, with a folder that it may write (agent.linux.storePath of the chart)."},
	{ReasonAccountNotFound, ClassWaiting, "An account of the spec does not exist on the node, or its domain does not answer.", "Correct its name, or create it; the certificate is installed for the others."},
	{ReasonTLSFailure, ClassTransient, "The connection to the vault or the token service is not trusted.", "Do what the message says: set the node's clock, trust the CA of an inspecting proxy with --ca-bundle (azure.caBundle of the chart), or correct the DNS record that leads to another server."},
	{ReasonVaultUnreachable, ClassTransient, "The vault or the token service cannot be reached or answers with a server error, or something between answers in its place.", "Nothing at first; if it lasts, check the network path from the node: routes, firewalls, web proxies, sign-in pages."},
	{ReasonThrottled, ClassTransient, "Key Vault or the token service asked for fewer requests.", "Nothing at first; if it lasts, raise pollingIntervalInS or spread the certificates over vaults."},
	{ReasonStoreFailure, ClassTransient, "The certificate store answered with an error.", "Look the status in the message up; it is tried again."},
	{ReasonRepeatedDrift, ClassNone, "Something else on the node keeps removing or changing the certificate, its key, its rights or its links; Vaultpane repairs it, more and more slowly. Event only.", "Find the other tool, and have one of the two leave the certificate alone."},
	{ReasonAgentNotReporting, ClassWaiting, "The node should have the certificate, but its agent has not reported, cannot write its report, or has not renewed its Lease for too long.", "Look at the agent's pod on that node and its log; where it cannot write its report, at its rights on nodecertificatestates."},
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

// Class returns the reason's class.
func (r Reason) Class() Class { return r.Info().Class }
