package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RequestedAtAnnotation requests a poll from every node. Its value is an RFC 3339 time. A new value is a new request, and no other
// annotation causes a request to Key Vault.
const RequestedAtAnnotation = "vaultpane.dev/requestedAt"

// StoreLocation is a Windows system store location. The spelling of the extension's 2017 preview is accepted.
// +kubebuilder:validation:Enum=LocalMachine;CurrentUser;LOCAL_MACHINE;CURRENT_USER
type StoreLocation string

// Store locations, in the current spelling and in that of the extension's 2017 preview.
const (
	LocalMachine        StoreLocation = "LocalMachine"
	CurrentUser         StoreLocation = "CurrentUser"
	LocalMachinePreview StoreLocation = "LOCAL_MACHINE"
	CurrentUserPreview  StoreLocation = "CURRENT_USER"
)

// DeletionPolicy decides what happens to installed certificates that no ObservedCertificate asks for any more.
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// Deletion policies.
const (
	// DeletionRetain leaves the certificates in the store, as the extension does.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionDelete removes what Vaultpane installed, with its keys.
	DeletionDelete DeletionPolicy = "Delete"
)

// KeyStorageProvider is the Windows programming interface that holds private keys.
// +kubebuilder:validation:Enum=CNG;CAPI
type KeyStorageProvider string

// Key storage providers.
const (
	// ProviderCNG is Cryptography API: Next Generation (Microsoft Software Key Storage Provider).
	ProviderCNG KeyStorageProvider = "CNG"
	// ProviderCAPI is the older CryptoAPI (Microsoft Enhanced RSA and AES Cryptographic Provider), RSA keys only.
	ProviderCAPI KeyStorageProvider = "CAPI"
)

// Authentication names the Azure identity that reads this certificate.
type Authentication struct {
	// msiClientId is the client id of a user-assigned managed identity (or of the workload identity's application) to
	// use for this certificate instead of the agent's default identity. The extension's authenticationSettings.msiClientId.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$')",message="must be a client id, a GUID such as 3f2504e0-4f89-11d3-9a0c-0305e82c3301; a resource id (/subscriptions/...) or an object id does not work here: 'az identity show --query clientId' prints the client id"
	// +kubebuilder:validation:XValidation:rule="self != '00000000-0000-0000-0000-000000000000'",message="is a GUID of zeros, a placeholder; 'az identity show --query clientId' prints the client id"
	MSIClientID string `json:"msiClientId,omitempty"`
}

// ObservedCertificateSpec is one certificate in one vault, and where it is installed on which nodes. The names and meanings of the
// fields are those of the Key Vault VM extension for Windows; the fields from nodeSelector on are Vaultpane's own.
//
// +kubebuilder:validation:XValidation:rule="!(self.certificateStoreName.lowerAscii() in ['root', 'ca', 'trustedpeople', 'trustedpublisher']) || !has(self.keyExportable) || !self.keyExportable",fieldPath=".keyExportable",message="must be false or left out in the stores Root, CA, TrustedPeople and TrustedPublisher, which receive public certificates and never a private key; a certificate with its key goes into another store, such as MY, by an ObservedCertificate of its own"
// +kubebuilder:validation:XValidation:rule="!(self.certificateStoreName.lowerAscii() in ['root', 'ca', 'trustedpeople', 'trustedpublisher']) || !has(self.linkOnRenewal) || !self.linkOnRenewal",fieldPath=".linkOnRenewal",message="must be false or left out in the stores Root, CA, TrustedPeople and TrustedPublisher, which receive public certificates and never a private key; a certificate with its key goes into another store, such as MY, by an ObservedCertificate of its own"
// +kubebuilder:validation:XValidation:rule="!(self.certificateStoreName.lowerAscii() in ['root', 'ca', 'trustedpeople', 'trustedpublisher']) || !has(self.accounts) || size(self.accounts) == 0",fieldPath=".accounts",message="must be left out in the stores Root, CA, TrustedPeople and TrustedPublisher, which receive public certificates and never a private key; a certificate with its key goes into another store, such as MY, by an ObservedCertificate of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.rollout) || !has(self.url) || !self.url.matches('/secrets/[^/]*/.')",fieldPath=".rollout",message="must be left out while spec.url names a version: that version is installed on all nodes at once; omit the version to follow the newest in waves"
// +kubebuilder:validation:XValidation:rule="self.certificateStoreName.lowerAscii() != 'root' || !(self.certificateStoreLocation in ['CurrentUser', 'CURRENT_USER'])",fieldPath=".certificateStoreLocation",message="must be LocalMachine for the store Root: in CurrentUser, Windows asks the user for confirmation before it trusts a certificate"
// +kubebuilder:validation:XValidation:rule="has(self.url) || has(self.configMap)",fieldPath=".url",message="is required: the URL of a secret in Key Vault, as in https://myvault.vault.azure.net/secrets/mycertificate; for certificates of authorities in the cluster, configMap takes its place"
// +kubebuilder:validation:XValidation:rule="!has(self.url) || !has(self.configMap)",fieldPath=".configMap",message="must be left out beside url: a certificate comes either from Key Vault or from a ConfigMap; write the other as an ObservedCertificate of its own"
// +kubebuilder:validation:XValidation:rule="!has(self.configMap) || self.certificateStoreName.matches('(?i)^(root|ca|trustedpeople|trustedpublisher)$')",fieldPath=".certificateStoreName",message="must be Root, CA, TrustedPeople or TrustedPublisher for a ConfigMap, which holds public certificates; a certificate with its key comes from Key Vault (url)"
// +kubebuilder:validation:XValidation:rule="!has(self.configMap) || !has(self.authentication)",fieldPath=".authentication",message="must be left out for a ConfigMap, which is read from the cluster without an Azure identity"
// +kubebuilder:validation:XValidation:rule="!has(self.configMap) || !has(self.rollout)",fieldPath=".rollout",message="must be left out for a ConfigMap: waves follow the versions of a secret in Key Vault"
// +kubebuilder:validation:XValidation:rule="!has(self.configMap) || !has(self.versionWatchIntervalInS)",fieldPath=".versionWatchIntervalInS",message="must be left out for a ConfigMap: agents see its changes within seconds"
// +kubebuilder:validation:XValidation:rule="!(self.certificateStoreName.lowerAscii() in ['root', 'ca', 'trustedpeople', 'trustedpublisher']) || !has(self.usedBy) || size(self.usedBy) == 0",fieldPath=".usedBy",message="must be left out in the stores Root, CA, TrustedPeople and TrustedPublisher, which receive public certificates and never a private key; a certificate with its key goes into another store, such as MY, by an ObservedCertificate of its own"
// +kubebuilder:validation:XValidation:rule="self.certificateStoreName.lowerAscii() == 'my' || !has(self.usedBy) || !self.usedBy.exists(u, has(u.remoteDesktop) || has(u.winRM) || has(u.sqlServer))",fieldPath=".usedBy",message="has an entry that reads its certificate from the store MY (remoteDesktop, winRM or sqlServer); set certificateStoreName to MY"
// +kubebuilder:validation:XValidation:rule="!(self.certificateStoreLocation in ['CurrentUser', 'CURRENT_USER']) || !has(self.usedBy) || size(self.usedBy) == 0",fieldPath=".usedBy",message="needs certificateStoreLocation LocalMachine: services and listeners do not read the store of a user"
type ObservedCertificateSpec struct {
	// url is the Key Vault secret URL of the certificate: https://<vault host>[:port]/secrets/<name>[/<version>]. Required unless
	// configMap is set.
	// Without a version, the newest version is installed and followed; with a version, that version is installed and kept. The
	// private key of a certificate is in the secret of the same name, so the path is /secrets/, not /certificates/.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[[:space:]]|[[:space:]]$')",message="has leading or trailing spaces; remove them"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('@')",message="is a reference or a file name; write the secret's URL itself, as in https://myvault.vault.azure.net/secrets/mycertificate"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https?://([0-9A-Za-z-]+[.])*portal[.]azure[.](com|us|cn)([:/?#]|$)')",message="is an address of the Azure portal; open the certificate's current version there and copy its Secret Identifier, as in https://myvault.vault.azure.net/secrets/mycertificate"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(https://management[.][^/]*)?/subscriptions/')",message="is the id of an Azure resource; 'az keyvault certificate show --vault-name myvault --name mycertificate --query sid' prints the secret's URL, as in https://myvault.vault.azure.net/secrets/mycertificate/<version>: omit the version to follow the newest"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https://[^/?#@]*_')",message="has '_' in its host; a vault's name consists of letters, digits and dashes: 'az keyvault show --name myvault --query properties.vaultUri' prints the host"
	// +kubebuilder:validation:XValidation:rule="self.startsWith('https://')",message="must begin with https:// (in lower case), as in https://myvault.vault.azure.net/secrets/mycertificate"
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('https://') || self.matches('^https://([^/?#]*@)?[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?([.][0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?)*(:[0-9]+)?([/?#]|$)')",message="needs a host name after https://, as in https://myvault.vault.azure.net/secrets/mycertificate"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https://[^/?#]*:[0-9]+([/?#]|$)') || self.matches('^https://[^/?#]*:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])([/?#]|$)')",message="has a port that is not between 1 and 65535"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https://[^/?#]*@')",message="must not contain a user name or password before the host; Vaultpane signs in with an Azure identity"
	// +kubebuilder:validation:XValidation:rule="!self.contains('?') && !self.contains('#')",message="must not have a query (?...) or a fragment (#...)"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https://[^/?#]+/(certificates|keys)/')",message="must point to /secrets/<name>, also for a certificate: the secret of the same name holds the private key, /certificates/ and /keys/ do not"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https://[^/?#]+') || self.matches('^https://[^/?#]+/(certificates|keys)/') || self.matches('^https://[^/?#]+/secrets/[0-9A-Za-z-]{1,127}(/.*)?([?#].*)?$')",message="must have the path /secrets/<name>, where the name is 1 to 127 letters, digits and dashes"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https://[^/?#]+/secrets/[0-9A-Za-z-]{1,127}/') || self.matches('^https://[^/?#]+/secrets/[0-9A-Za-z-]{1,127}/[0-9a-fA-F]{32}([?#].*)?$')",message="has a part after the secret's name that is not a version: a version is 32 hexadecimal digits, with nothing after it; omit it to follow the newest"
	URL string `json:"url,omitempty"`

	// configMap names public certificates in the cluster instead of a secret in Key Vault, for a store that holds trust (Root, CA,
	// TrustedPeople, TrustedPublisher): PEM, one or more certificates, as trust-manager writes them. Its version is the hash of its
	// content. A private key in it is refused, and nothing of it is installed then. It needs no vault and no Azure identity.
	// +optional
	ConfigMap *ConfigMapKey `json:"configMap,omitempty"`

	// certificateStoreName is the system store that receives the certificate with its key. Default MY (Personal). The
	// intermediates of its chain are installed into CA of the same location; a self-signed root is not installed.
	// Stores that hold trust receive only public certificates, never a key. From a secret without a key (PEM, PKCS#7 or DER), all
	// certificates are installed. From a secret with a key, Root receives the self-signed authorities, CA all authorities, and
	// TrustedPeople and TrustedPublisher the certificate itself. These stores reject accounts, keyExportable and linkOnRenewal.
	// Root in CurrentUser is rejected, because Windows asks the user for confirmation before it trusts a certificate there. Names that Windows'
	// tools show for stores, such as Personal or Trusted People, are rejected with a message that names the store. AuthRoot and
	// Disallowed are rejected: Windows' own root update owns them, and removes what others install there.
	// +optional
	// +kubebuilder:default="MY"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(personal([ _.-]*(store|certificates?))?)$')",message="is a display name: the store that Windows' tools show as Personal is named MY; write MY"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(intermediates?([ _.-]*cas?|[ _.-]*certificat(e|ion)[ _.-]*authorit(y|ies))?|certificat(e|ion)[ _.-]*authorit(y|ies))$')",message="is a display name: the store that Windows' tools show as Intermediate Certification Authorities is named CA; write CA"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(trusted[ _.-]*roots?([ _.-]*certificat(e|ion)[ _.-]*authorit(y|ies))?|roots|root([ _.-]*cas?|[ _.-]*certificat(e|ion)[ _.-]*authorit(y|ies)))$')",message="is a display name: the store that Windows' tools show as Trusted Root Certification Authorities is named Root; write Root"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(trusted[ _.-]*publishers|trusted[ _.-]+publisher)$')",message="is a display name: the store that Windows' tools show as Trusted Publishers is named TrustedPublisher; write TrustedPublisher"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(trusted[ _.-]+(people|persons?)|trusted[ _.-]*persons?)$')",message="is a display name: the store that Windows' tools show as Trusted People is named TrustedPeople; write TrustedPeople"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(web[ _.-]+hosting)$')",message="is a display name: the store that Windows' tools show as Web Hosting is named WebHosting; write WebHosting"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(other[ _.-]*people)$')",message="is a display name: the store that Windows' tools show as Other People is named AddressBook; write AddressBook"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(enterprise[ _.-]*trust)$')",message="is a display name: the store that Windows' tools show as Enterprise Trust is named Trust; write Trust"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(client[ _.-]*authentication[ _.-]*issuers?)$')",message="is a display name: the store that Windows' tools show as Client Authentication Issuers is named ClientAuthIssuer; write ClientAuthIssuer"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(certificate[ _.-]*enrollment[ _.-]*requests?)$')",message="is a display name: the store that Windows' tools show as Certificate Enrollment Requests is named REQUEST; write REQUEST"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(smart[ _.-]*card[ _.-]*trusted[ _.-]*roots?)$')",message="is a display name: the store that Windows' tools show as Smart Card Trusted Roots is named SmartCardRoot; write SmartCardRoot"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(trusted[ _.-]+devices?)$')",message="is a display name: the store that Windows' tools show as Trusted Devices is named TrustedDevices; write TrustedDevices"
	// +kubebuilder:validation:XValidation:rule="!self.matches('(?i)^(third[ _.-]*party[ _.-]*root[ _.-]*certification[ _.-]*authorities|(untrusted|disallowed)[ _.-]*certificates)$')",message="is the display name of a store (AuthRoot, Disallowed) that belongs to Windows' own root update, which removes what others install there; use Root to trust a certificate authority"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9A-Za-z]([0-9A-Za-z _.-]*[0-9A-Za-z])?$')",message="must be the name of a store, such as MY or WebHosting: letters, digits, spaces, '.', '_' and '-', without a path, a location, or leading or trailing spaces; the location has its own field, certificateStoreLocation"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['authroot', 'disallowed'])",message="AuthRoot and Disallowed belong to Windows' own root update, which removes what others install there; use Root to trust a certificate authority"
	CertificateStoreName string `json:"certificateStoreName,omitempty"`

	// certificateStoreLocation is LocalMachine (default) or CurrentUser, the store of the account that runs the agent.
	// LOCAL_MACHINE and CURRENT_USER, the spelling of the extension's 2017 preview, mean the same.
	// +optional
	// +kubebuilder:default=LocalMachine
	CertificateStoreLocation StoreLocation `json:"certificateStoreLocation,omitempty"`

	// pollingIntervalInS is the time between two polls of this certificate on each node, in seconds. Default 3600 (an
	// hour), at least 30, at most 2592000 (30 days).
	// +optional
	// +kubebuilder:default=3600
	// +kubebuilder:validation:XValidation:rule="self >= 30",message="must be at least 30 seconds, to limit the number of requests to Key Vault"
	// +kubebuilder:validation:XValidation:rule="self <= 2592000",message="must be at most 2592000 seconds (30 days)"
	PollingIntervalInS int32 `json:"pollingIntervalInS,omitempty"`

	// keyExportable allows exporting the private key from the store. Default false. A change takes effect on
	// the installed certificate, which stays usable meanwhile.
	// +optional
	KeyExportable bool `json:"keyExportable,omitempty"`

	// accounts are the Windows accounts that get read access to the private key, such as "NT AUTHORITY\NETWORK SERVICE",
	// "NT SERVICE\w3svc", "IIS AppPool\Default", "CORP\gmsa$" or a SID such as "S-1-5-20". Administrators and SYSTEM always
	// have full access, and other accounts have none. Default none.
	// An unknown account is reported with the reason AccountNotFound. The certificate is installed nevertheless, the other
	// accounts have access, and the account gets access when it exists. While a domain is unreachable, its accounts keep their
	// access. A SID is used as it is. An account that is removed from the list loses access to the current version's key.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.map(a, size(a)).sum() <= 4096",message="the names of all accounts together must not have more than 4096 characters; put the accounts into a group and name the group"
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[^[:cntrl:]]+$')",message="an account must not contain control characters such as a line break or a tab"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('[^[:space:]]') && !self.startsWith(' ') && !self.endsWith(' ')",message="an account must not be empty or have leading or trailing spaces"
	// +kubebuilder:validation:items:XValidation:rule="!self.contains(';')",message="contains several accounts in one string; write each as an entry of its own"
	// +kubebuilder:validation:items:XValidation:rule="!self.contains(',') || self.matches('(?i)^IIS AppPool[^0-9A-Za-z ]')",message="contains several accounts in one string; write each as an entry of its own"
	// +kubebuilder:validation:items:XValidation:rule="!self.contains('/') || self.matches('(?i)^IIS AppPool[^0-9A-Za-z /]')",message="contains a slash, which is not allowed in an account name; write a backslash, as in NT AUTHORITY\\NETWORK SERVICE"
	// +kubebuilder:validation:items:XValidation:rule="!self.contains('\\\\\\\\')",message="contains two backslashes in a row; write one, as in NT AUTHORITY\\NETWORK SERVICE: only a string in double quotes needs two"
	// +kubebuilder:validation:items:XValidation:rule="!self.matches('[*?|<>]') && !self.contains('\"')",message="contains one of * ? | < > or a quotation mark, which are not allowed in an account name"
	// +kubebuilder:validation:items:XValidation:rule="!self.matches('(?i)^S-[0-9]') || self.matches('(?i)^S-1-(0x[0-9a-f]+|[0-9]+)(-[0-9]+)+$')",message="begins like a SID but is not one; a SID has the form S-1-5-20"
	Accounts []string `json:"accounts,omitempty"`

	// linkOnRenewal links the older versions of this same ObservedCertificate in the same store to the new one, so that
	// Schannel uses the new one, and raises Windows' replacement event, on which IIS rebinds if its automatic rebind is on.
	// Default false. A version is linked only while the new one is valid, covers all its DNS names and addresses, has its key, and
	// can be used by every account that may use the old key. Other certificates are never linked.
	// +optional
	LinkOnRenewal bool `json:"linkOnRenewal,omitempty"`

	// requireInitialSync makes a node with the startup taint (vaultpane.dev/certificates-not-ready) wait for this certificate: the
	// taint stays until the certificate is installed on the node. Default false.
	// +optional
	RequireInitialSync bool `json:"requireInitialSync,omitempty"`

	// authentication names the Azure identity to use. Default: the agent's own.
	// +optional
	Authentication *Authentication `json:"authentication,omitempty"`

	// nodeSelector selects the nodes by their labels. Default: every node that runs the agent.
	// +optional
	NodeSelector *NodeSelector `json:"nodeSelector,omitempty"`

	// deletionPolicy decides what happens to the installed certificates when this object is deleted, no longer targets the node or
	// names another store: Retain (default, as the extension does) leaves them, Delete removes them with their keys. A certificate
	// that another tool installed stays, and one that another ObservedCertificate uses passes to that one.
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// revisionHistoryLimit is how many superseded versions of the secret stay in the store in addition to the current one, 0 to
	// 100, whatever the number of certificates in a version. Unset keeps all, as the extension does. A version is not removed before
	// the current one is in place and valid, nor while a program of the
	// node still uses it: a binding of http.sys (IIS), Remote Desktop, WinRM, SQL Server. In a store that holds trust, 0
	// removes the trust in certificates that the secret no longer contains.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 0 && self <= 100",message="must be between 0 and 100 superseded versions; leave it out to keep all"
	RevisionHistoryLimit *int32 `json:"revisionHistoryLimit,omitempty"`

	// keyStorageProvider forces the provider that holds the private key: CNG, or CAPI for older .NET Framework code (RSA
	// keys only; an EC key fails with Unsupported). Unset: a provider that the PFX names, else CNG. A change takes effect on the
	// installed certificate, which stays usable meanwhile.
	// +optional
	KeyStorageProvider KeyStorageProvider `json:"keyStorageProvider,omitempty"`

	// suspend stops polling and all changes of the store for this certificate; the installed certificate stays. Default false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// versionWatchIntervalInS is the time between two looks of the controller's version watch at the versions of this secret, in
	// seconds, at least 30, at most 86400 (a day). Unset: the controller's own (--version-watch-interval, a minute by default). Of
	// certificates with the same URL, the shortest holds for all: the versions of a secret are listed once, however many nodes and
	// certificates use it.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 30",message="must be at least 30 seconds, to limit the number of requests to Key Vault; an event of Event Grid is faster (docs/event-grid.md)"
	// +kubebuilder:validation:XValidation:rule="self <= 86400",message="must be at most 86400 seconds (a day)"
	VersionWatchIntervalInS int32 `json:"versionWatchIntervalInS,omitempty"`

	// usedBy are programs and listeners of the node that are kept on the certificate's current version: bindings of http.sys (IIS),
	// Remote Desktop, WinRM, SQL Server, and services that are restarted (docs/bindings.md). A version that one of them still uses is
	// not removed. What fails is reported for each, and never makes the certificate not installed. Default none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	UsedBy []Use `json:"usedBy,omitempty"`

	// rollout brings a new version to the nodes in waves. Unset: to all nodes at once. It needs the version watch.
	// +optional
	Rollout *Rollout `json:"rollout,omitempty"`
}

// Types of the conditions in an ObservedCertificate's status. The first three have the meanings of kstatus
// (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md), so that kubectl wait and GitOps tools
// understand them. All but the last two are always present.
const (
	// ConditionReady is True when every selected node has the current version as the spec asks for it, False when a node has a
	// failure, and Unknown while nodes are still installing it without a failure, or when no node is selected.
	ConditionReady = "Ready"
	// ConditionReconciling is True while nodes are still installing or retrying.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when a node needs another spec, and does not retry until the spec changes.
	ConditionStalled = "Stalled"
	// ConditionExpiringSoon is True when a certificate on a selected node expires soon, or has expired.
	ConditionExpiringSoon = "ExpiringSoon"
	// ConditionSyncFailing is True when the polls of a selected node fail while it has a valid certificate as the spec asks for it:
	// a renewal would not be installed. Ready stays True until that certificate expires soon.
	ConditionSyncFailing = "SyncFailing"
	// ConditionLinkDeclined is True when linkOnRenewal is set and a node has an older version that is not linked to the current
	// one, so that programs which use the older version keep using it.
	ConditionLinkDeclined = "LinkDeclined"
	// ConditionVersionWatched is True while the controller's version watch sees the versions of the secret: the nodes then fetch a
	// new version when it is published in status.latestVersion, and do not poll. While it is False, they poll at their interval.
	ConditionVersionWatched = "VersionWatched"
	// ConditionRolloutHalted is True when a node of a wave has failed, so that the next wave does not start. It is present only with
	// spec.rollout.
	ConditionRolloutHalted = "RolloutHalted"
	// ConditionUseFailed is True when an entry of spec.usedBy failed on a node, so that a program does not use the current version.
	// It is present only with spec.usedBy.
	ConditionUseFailed = "UseFailed"
)

// NodeCounts counts the nodes that a certificate targets: those that match its selector and run the agent. Each is installed,
// failed or pending.
type NodeCounts struct {
	// matched is the number of nodes that should have the certificate.
	// +required
	Matched int32 `json:"matched"`
	// installed is the number of nodes that have its current version as the spec asks for it.
	// +required
	Installed int32 `json:"installed"`
	// failed is the number of nodes that need a person to act, or that have an expired certificate.
	// +required
	Failed int32 `json:"failed"`
	// pending is the number of nodes that have not reported, are retrying, or have an older version. A node that has the current
	// version counts as installed even while its polls fail, until its certificate expires soon.
	// +required
	Pending int32 `json:"pending"`
	// summary is "installed/matched", for the NODES column.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Summary string `json:"summary,omitempty"`
}

// NodeFailure is a node that is failed or pending.
type NodeFailure struct {
	// node is the name of the node.
	// +required
	// +kubebuilder:validation:MaxLength=253
	Node string `json:"node"`
	// reason is the name of a reason; docs/errors.md lists them.
	// +required
	Reason Reason `json:"reason"`
	// message says what is wrong, where, and what to do, or what the node is waiting for.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// LatestVersion is the version of the secret that nodes should have: the newest that is enabled and within its dates, as the
// controller's version watch saw it in the vault.
type LatestVersion struct {
	// version is the version of the secret, 32 hexadecimal digits.
	// +required
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version"`
	// observedTime is when the version watch first saw it as the latest.
	// +required
	ObservedTime metav1.Time `json:"observedTime"`
	// createdTime is when the version was created in the vault.
	// +optional
	CreatedTime *metav1.Time `json:"createdTime,omitempty"`
	// rollbackFrom is a newer version that was disabled in the vault, or whose expiration date has passed, so that the nodes that
	// have it go back to this one. Absent where there is none.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	RollbackFrom string `json:"rollbackFrom,omitempty"`
	// fetchDelayInS and fetchSpreadInS keep the nodes' requests within the vault's limit. A node that sees the version fetches it
	// after the delay, at a moment of the spread that depends on its name. In seconds; 0 for at once.
	// +optional
	// +kubebuilder:validation:Minimum=0
	FetchDelayInS int32 `json:"fetchDelayInS,omitempty"`
	// fetchSpreadInS is the spread, see fetchDelayInS.
	// +optional
	// +kubebuilder:validation:Minimum=0
	FetchSpreadInS int32 `json:"fetchSpreadInS,omitempty"`
}

// ObservedCertificateStatus is the state of the certificate on all nodes. Only the controller writes it.
type ObservedCertificateStatus struct {
	// conditions are Ready, Reconciling and Stalled, with the meanings of kstatus, ExpiringSoon, SyncFailing, LinkDeclined and
	// VersionWatched, with spec.rollout RolloutHalted, and with spec.usedBy UseFailed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// version is the Key Vault version that the nodes have; during a roll-out, the newest that one of them has.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version,omitempty"`
	// thumbprint is the SHA-1 hash of that certificate in upper-case hexadecimal digits, as Windows tools show it.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Thumbprint string `json:"thumbprint,omitempty"`
	// notAfter is when that certificate expires.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
	// nodes counts the nodes by state.
	// +optional
	Nodes *NodeCounts `json:"nodes,omitempty"`
	// failures are nodes that are failed or pending, at most 10: first those that need another spec, then those that need a person
	// to act, then those that are retrying, then the other pending ones, each sorted by name. Every reason is represented.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Failures []NodeFailure `json:"failures,omitempty"`
	// latestVersion is what the version watch published; absent while it is off.
	// +optional
	LatestVersion *LatestVersion `json:"latestVersion,omitempty"`
	// rollout says which wave may have the latest version; absent without spec.rollout.
	// +optional
	Rollout *RolloutStatus `json:"rollout,omitempty"`
	// uses counts the nodes of each entry of spec.usedBy by state, in the order of the spec; absent without spec.usedBy.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Uses []UseCounts `json:"uses,omitempty"`
}

// ObservedCertificate is a certificate in Azure Key Vault that Vaultpane keeps in the certificate store of nodes.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=obscert,categories=vaultpane
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="NODES",type=string,JSONPath=`.status.nodes.summary`
// +kubebuilder:printcolumn:name="THUMBPRINT",type=string,JSONPath=`.status.thumbprint`
// +kubebuilder:printcolumn:name="EXPIRES",type=string,JSONPath=`.status.notAfter`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="CONFIGMAP",type=string,priority=1,JSONPath=`.spec.configMap.name`
// +kubebuilder:printcolumn:name="STORE",type=string,priority=1,JSONPath=`.spec.certificateStoreName`
// +kubebuilder:printcolumn:name="VERSION",type=string,priority=1,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="LATEST",type=string,priority=1,JSONPath=`.status.latestVersion.version`
type ObservedCertificate struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state.
	// +required
	Spec ObservedCertificateSpec `json:"spec"`
	// status is the observed state of all nodes.
	// +optional
	Status ObservedCertificateStatus `json:"status,omitempty"`
}

// ObservedCertificateList is a list of ObservedCertificates.
//
// +kubebuilder:object:root=true
type ObservedCertificateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ObservedCertificate `json:"items"`
}
