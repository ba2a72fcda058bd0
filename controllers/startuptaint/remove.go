package startuptaint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// attempts is how often a removal is tried in one reconcile, each attempt after the first with a fresh read.
const attempts = 5

// fieldOwner is the field manager of the controller's changes.
const fieldOwner = client.FieldOwner("vaultpane-controller")

// errContended means that other clients changed the node's taints between each read and write.
var errContended = errors.New("other clients keep changing its taints")

// isTainted reports whether an object is a node that has the startup taint. Its effect does not matter: NoExecute and
// PreferNoSchedule mean the same about the node.
func isTainted(object client.Object) bool {
	node, ok := object.(*corev1.Node)
	return ok && slices.ContainsFunc(node.Spec.Taints, isOurs)
}

func isOurs(taint corev1.Taint) bool { return v1alpha1.IsStartupTaintKey(taint.Key) }

// removeTaint removes the startup taint from a node and returns the updated node, or nil if there was nothing to do: the taint
// or the node does not exist any more, or another node has its name. node may come from a cache; it is not changed. The error is
// errContended if other clients were faster each time.
//
// The patch tests node and taints, so it never removes or restores another taint.
func removeTaint(ctx context.Context, writer client.Writer, live client.Reader, node *corev1.Node) (*corev1.Node, error) {
	seen := node
	for range attempts {
		if seen.UID != node.UID || !isTainted(seen) {
			return nil, nil
		}
		left := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node.Name}}
		patchErr := writer.Patch(ctx, left, client.RawPatch(types.JSONPatchType, patchOf(seen)), fieldOwner)
		if patchErr == nil {
			return left, nil
		}
		// The API server answers a failed test with 422, reason Invalid
		// (https://github.com/kubernetes/apiserver/blob/v0.37.2/pkg/endpoints/handlers/patch.go, applyJSPatch).
		if !apierrors.IsInvalid(patchErr) {
			return nil, unlessGone("removing the startup taint of Node "+node.Name, patchErr)
		}
		fresh := &corev1.Node{}
		if err := live.Get(ctx, client.ObjectKeyFromObject(node), fresh); err != nil {
			return nil, unlessGone("reading Node "+node.Name, err)
		}
		if fresh.UID == node.UID && equality.Semantic.DeepEqual(fresh.Spec.Taints, seen.Spec.Taints) {
			return nil, fmt.Errorf("removing the startup taint of Node %s: %w", node.Name, patchErr) // it was not the test that failed
		}
		seen = fresh
	}
	return nil, fmt.Errorf("removing the startup taint of Node %s: %w", node.Name, errContended)
}

func unlessGone(act string, err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", act, err)
}

// operation is one step of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// patchOf returns the patch that removes the startup taint from a node.
func patchOf(node *corev1.Node) []byte {
	kept := slices.DeleteFunc(slices.Clone(node.Spec.Taints), isOurs)
	change := operation{Op: "replace", Path: "/spec/taints", Value: kept}
	if len(kept) == 0 {
		change = operation{Op: "remove", Path: "/spec/taints"} // a node without taints has no list
	}
	patch, err := json.Marshal([]operation{
		{Op: "test", Path: "/metadata/uid", Value: node.UID},
		{Op: "test", Path: "/spec/taints", Value: node.Spec.Taints},
		change,
	})
	if err != nil {
		panic("encoding taints: " + err.Error()) // strings and times: cannot fail
	}
	return patch
}
