package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
)

// Read reads what a plan is compared with, and asks the API server what it would store. The certificates must be readable; what else
// cannot be read is in Unread.
func Read(ctx context.Context, client *cluster.Client, namespace string, wanted []Wanted) (*State, error) {
	state := &State{Tried: map[string]Answer{}}
	err := cluster.List(ctx, client, cluster.ObservedCertificates, "", metav1.ListOptions{}, func(certificate *v1alpha1.ObservedCertificate) error {
		state.Certificates = append(state.Certificates, *certificate)
		return nil
	})
	if err != nil {
		return nil, cluster.Explain(err, "list", cluster.ObservedCertificates)
	}
	if state.Installation, err = installation.Find(ctx, client, namespace); err != nil {
		state.Unread = append(state.Unread, fmt.Sprintf("which vaults agents may contact, and which nodes run them, is unknown: %v", err))
	}
	if err == nil && len(state.Agents) == 0 {
		state.Unread = append(state.Unread, "no DaemonSet of the agents was found, so Windows nodes are taken for those that run them; 'kubectl vaultpane doctor' says more")
	}
	if err := state.readNodes(ctx, client); err != nil {
		state.Nodes = nil
		state.Unread = append(state.Unread, fmt.Sprintf("which nodes would get the certificates is unknown: %v", err))
	}
	for i := range wanted {
		state.Tried[wanted[i].Name] = state.try(ctx, client, wanted[i])
	}
	return state, ctx.Err()
}

// readNodes reads all nodes, and which of them have a report.
func (s *State) readNodes(ctx context.Context, client *cluster.Client) error {
	reports, err := client.Names(ctx, cluster.NodeCertificateStates, metav1.ListOptions{})
	if err != nil {
		return err
	}
	s.Nodes = []Node{}
	return cluster.List(ctx, client, cluster.Nodes, "", metav1.ListOptions{}, func(node *corev1.Node) error {
		_, reported := slices.BinarySearch(reports, node.Name)
		s.Nodes = append(s.Nodes, Node{
			Name: node.Name, Labels: labels.Set(node.Labels), Reports: reported,
			Waits: slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return v1alpha1.IsStartupTaintKey(taint.Key) }),
		})
		return nil
	})
}

// try asks the API server what it would store if the spec became what is wanted.
func (s *State) try(ctx context.Context, client *cluster.Client, wanted Wanted) Answer {
	stored := &v1alpha1.ObservedCertificate{}
	var err error
	verb := "create"
	if current := s.current(wanted.Name); current != nil {
		verb = "update"
		err = client.TryUpdate(ctx, cluster.ObservedCertificates, "", wanted.Name, merged(current, wanted), stored)
	} else {
		err = client.TryCreate(ctx, cluster.ObservedCertificates, "", wanted, stored)
	}
	switch {
	case err == nil:
		return Answer{Stored: stored}
	case lacksRight(err, verb):
		return Answer{NotAsked: fmt.Errorf("this account may not %s observedcertificates", verb)}
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err):
		return Answer{Refused: err}
	}
	return Answer{NotAsked: err}
}

// merged is an existing object as applying leaves it.
func merged(current *v1alpha1.ObservedCertificate, wanted Wanted) *v1alpha1.ObservedCertificate {
	object := current.DeepCopy()
	object.APIVersion, object.Kind = wanted.APIVersion, wanted.Kind
	object.Spec = wanted.Spec
	for key, value := range wanted.Labels {
		metav1.SetMetaDataLabel(&object.ObjectMeta, key, value)
	}
	for key, value := range wanted.Annotations {
		metav1.SetMetaDataAnnotation(&object.ObjectMeta, key, value)
	}
	return object
}

// lacksRight tells missing rights from a policy that refuses. Both have the same status; only the text of RBAC's names the verb so.
func lacksRight(err error, verb string) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot "+verb+" resource")
}
