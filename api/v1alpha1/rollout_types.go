package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PromoteAnnotation continues a roll-out at once, whatever its pause and its failures. Its value is the version of the secret
// (status.rollout.version), for all waves that have not started; or the version, a slash and a number, for the waves up to that
// one. It has no effect on any other version.
const PromoteAnnotation = "vaultpane.dev/promote"

// Rollout brings a new version to some nodes first.
type Rollout struct {
	// waves are groups of nodes. The first gets a new version at once, each other when every node of the wave before has it and that
	// wave's pause is over. A failed node stops the next wave. A node belongs to the first wave that selects it; nodes that no wave
	// selects come after the last. A node whose certificate is missing or not valid, or would expire before its wave, does not wait.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Waves []Wave `json:"waves,omitempty"`
}

// Wave is a group of nodes that gets a new version at the same time.
type Wave struct {
	// nodeSelector selects the nodes by their labels, from those that the certificate targets. {} selects all that remain.
	// +required
	NodeSelector NodeSelector `json:"nodeSelector"`
	// pause is the time between the moment when every node of the wave has the version and the start of the next wave, such as 30m
	// or 24h, at most 720h (30 days). Unset: none.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('720h')",message="must be a time between 0s and 720h, such as 30m"
	Pause *metav1.Duration `json:"pause,omitempty"`
}

// RolloutStatus says how far a roll-out in waves is.
type RolloutStatus struct {
	// version is the version that is rolled out: that of latestVersion.
	// +required
	// +kubebuilder:validation:MaxLength=128
	Version string `json:"version"`
	// wave is the number of the last wave that may have the version, from 1. One more than the number of waves means that every node
	// may have it.
	// +required
	// +kubebuilder:validation:Minimum=1
	Wave int32 `json:"wave,omitempty"`
	// startTime is when that wave started.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
	// completeTime is when every node of that wave had the version; absent until then. The wave's pause begins with it.
	// +optional
	CompleteTime *metav1.Time `json:"completeTime,omitempty"`
}
