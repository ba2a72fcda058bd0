package v1alpha1

// Use is a program or listener of the node that uses the certificate, and is kept on its current version. Exactly one field is set.
//
// Vaultpane reads which certificate the node has configured for it, compares that with the one in the store, and changes the
// configuration only where they differ, after the new certificate is in place. A program that was configured with another
// certificate than a version of this ObservedCertificate is left alone.
//
// +kubebuilder:validation:XValidation:rule="(has(self.httpSys) ? 1 : 0) + (has(self.remoteDesktop) ? 1 : 0) + (has(self.winRM) ? 1 : 0) + (has(self.sqlServer) ? 1 : 0) + (has(self.service) ? 1 : 0) == 1",message="must have exactly one of httpSys, remoteDesktop, winRM, sqlServer and service; write each as an entry of its own"
type Use struct {
	// httpSys is a TLS binding of http.sys, the kernel's HTTP server: IIS, WinRM over HTTPS and programs with HttpListener.
	// +optional
	HTTPSys *HTTPSysUse `json:"httpSys,omitempty"`
	// remoteDesktop is the listener of Remote Desktop (RDP-Tcp). The store must be MY.
	// +optional
	RemoteDesktop *RemoteDesktopUse `json:"remoteDesktop,omitempty"`
	// winRM is the HTTPS listener of Windows Remote Management. The store must be MY.
	// +optional
	WinRM *WinRMUse `json:"winRM,omitempty"`
	// sqlServer is an instance of SQL Server. It uses a new certificate from its next start on, which an entry for its service causes.
	// The store must be MY.
	// +optional
	SQLServer *SQLServerUse `json:"sqlServer,omitempty"`
	// service is a Windows service that reads its certificate only when it starts.
	// +optional
	Service *ServiceUse `json:"service,omitempty"`
}

// HTTPSysUse is a TLS binding of http.sys, as netsh http show sslcert shows it.
//
// +kubebuilder:validation:XValidation:rule="(has(self.ipPort) ? 1 : 0) + (has(self.hostnamePort) ? 1 : 0) == 1",message="must have either ipPort, such as 0.0.0.0:443, or hostnamePort, such as shop.example.com:443"
// +kubebuilder:validation:XValidation:rule="!has(self.appId) || (has(self.adopt) && self.adopt)",fieldPath=".appId",message="is only used to create a binding, with adopt: true; a binding that exists keeps its own"
type HTTPSysUse struct {
	// ipPort is the address and port of the binding, such as 0.0.0.0:443 or [::]:443.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}|[[][0-9a-fA-F:.]*:[0-9a-fA-F:.]*[]]):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$')",message="must be an address and a port, such as 0.0.0.0:443 or [::]:443; a binding by host name has its own field, hostnamePort"
	IPPort string `json:"ipPort,omitempty"`
	// hostnamePort is the host name and port of a binding with Server Name Indication, such as shop.example.com:443.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=260
	// +kubebuilder:validation:XValidation:rule="self.matches('^([*][.])?[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?([.][0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$')",message="must be a host name and a port, such as shop.example.com:443; a binding by address has its own field, ipPort"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[0-9.]+:[0-9]+$')",message="is an address and a port; a binding by address has its own field: write it as ipPort"
	HostnamePort string `json:"hostnamePort,omitempty"`
	// adopt creates the binding if it does not exist. Default false: the entry waits until a program has created it. A binding that
	// has another certificate is left alone in both cases.
	// +optional
	Adopt bool `json:"adopt,omitempty"`
	// appId is the application that a binding which adopt creates belongs to, a GUID in braces. Default: Vaultpane's own.
	// IIS uses {4dc3e181-e14b-4a21-b022-59fc669b0914}.
	// +optional
	// +kubebuilder:validation:MaxLength=38
	// +kubebuilder:validation:XValidation:rule="self.matches('^[{][0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}[}]$')",message="must be a GUID in braces, such as {4dc3e181-e14b-4a21-b022-59fc669b0914}"
	AppID string `json:"appId,omitempty"`
}

// RemoteDesktopUse is the listener of Remote Desktop.
type RemoteDesktopUse struct{}

// WinRMUse is the HTTPS listener of Windows Remote Management.
type WinRMUse struct{}

// SQLServerUse is an instance of SQL Server.
type SQLServerUse struct {
	// instance is the name of the instance. The default instance is MSSQLSERVER.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z_#][0-9A-Za-z_#$]*$')",message="must be the name of an instance, such as MSSQLSERVER, without the host's name"
	Instance string `json:"instance,omitempty"`
}

// ServiceAction is what is done to a service when the certificate has changed.
// +kubebuilder:validation:Enum=Restart
type ServiceAction string

// ServiceRestart stops and starts a service that runs. A service that does not run is not started.
const ServiceRestart ServiceAction = "Restart"

// ServiceUse is a Windows service.
type ServiceUse struct {
	// name is the service's name, such as w3svc, not its display name. The agent must allow it (--allowed-services, the chart's
	// agent.allowedServices).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^/\\\\\\\\[:cntrl:]]+$') && !self.startsWith(' ') && !self.endsWith(' ')",message="must be a service's name, such as w3svc, without slashes, control characters, or leading or trailing spaces"
	Name string `json:"name,omitempty"`
	// action is what is done once for each version of the certificate: Restart.
	// +required
	Action ServiceAction `json:"action,omitempty"`
}

// UseStateName is the state of an entry of spec.usedBy on a node.
// +kubebuilder:validation:Enum=Pending;Bound;Failed
type UseStateName string

// States of an entry of spec.usedBy.
const (
	// UsePending is the state of an entry whose certificate is not in place yet, or whose change is due later.
	UsePending UseStateName = "Pending"
	// UseBound is the state of an entry that has the current version.
	UseBound UseStateName = "Bound"
	// UseFailed is the state of an entry that does not have the current version, and needs a person to act or is retried.
	UseFailed UseStateName = "Failed"
)

// UseState is an entry of spec.usedBy on a node.
type UseState struct {
	// name names the entry, such as "httpSys 0.0.0.0:443".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=300
	Name string `json:"name,omitempty"`
	// state is Pending, Bound or Failed.
	// +required
	State UseStateName `json:"state,omitempty"`
	// reason is the name of a reason; docs/errors.md lists them. Bound has one only where a restart is needed.
	// +optional
	Reason Reason `json:"reason,omitempty"`
	// message says what is wrong, where, and what to do.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// UseCounts counts the nodes of an entry of spec.usedBy by its state.
type UseCounts struct {
	// name names the entry, such as "httpSys 0.0.0.0:443".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=300
	Name string `json:"name,omitempty"`
	// bound is the number of nodes where it has the current version.
	// +required
	Bound int32 `json:"bound"`
	// pending is the number of nodes where it does not have it yet.
	// +required
	Pending int32 `json:"pending"`
	// failed is the number of nodes where it failed.
	// +required
	Failed int32 `json:"failed"`
}
