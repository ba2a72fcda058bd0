package v1alpha1

// ConfigMapKey is a key of a ConfigMap in the namespace of the agents.
type ConfigMapKey struct {
	// name is the name of the ConfigMap. The agents must be allowed to read it (the chart's trust.configMaps).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-z]([0-9a-z-]*[0-9a-z])?([.][0-9a-z]([0-9a-z-]*[0-9a-z])?)*$')",message="must be the name of a ConfigMap: lower-case letters, digits, '-' and '.', without a namespace; the ConfigMap is in the namespace of the agents"
	Name string `json:"name,omitempty"`
	// key is the key of its data (or binaryData) that holds the certificates.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="must be a key of a ConfigMap: letters, digits, '-', '_' and '.'"
	Key string `json:"key,omitempty"`
}

// Source returns what the certificate comes from, to be shown: the URL, or "configmap/NAME key KEY".
func (s *ObservedCertificateSpec) Source() string {
	if s.ConfigMap != nil && s.URL == "" {
		return "configmap/" + s.ConfigMap.Name + " key " + s.ConfigMap.Key
	}
	return s.URL
}
