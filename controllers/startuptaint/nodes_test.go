package startuptaint_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

var (
	startup = corev1.Taint{Key: v1alpha1.StartupTaintKey, Effect: v1alpha1.StartupTaintEffect}
	evicts  = corev1.Taint{Key: v1alpha1.StartupTaintKey, Value: "true", Effect: corev1.TaintEffectNoExecute}
	scaled  = corev1.Taint{Key: v1alpha1.AutoscalerStartupTaintKey, Effect: corev1.TaintEffectNoSchedule}
	gpu     = corev1.Taint{Key: "sku", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}
	leaving = corev1.Taint{Key: "example.com/leaving", Effect: corev1.TaintEffectNoExecute, TimeAdded: &metav1.Time{Time: time.Unix(1_800_000_000, 0)}}
)

// atOnce calls a function with 0 to count-1, all at the same time, and returns their errors.
func atOnce(count int, do func(i int) error) error {
	failures := make([]error, count)
	var group sync.WaitGroup
	for i := range count {
		group.Go(func() { failures[i] = do(i) })
	}
	group.Wait()
	return errors.Join(failures...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// addNode creates a node with the label pool=web.
func (c *cluster) addNode(ctx context.Context, name string, taints ...corev1.Taint) (*corev1.Node, error) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pool": "web"}}}
	node.Spec.Taints = taints
	if err := c.kube.Create(ctx, node); err != nil {
		return nil, err
	}
	// The admission plugin TaintNodesByCondition has added node.kubernetes.io/not-ready, as for every new node.
	return node, c.setTaints(ctx, name, func([]corev1.Taint) []corev1.Taint { return taints })
}

// setTaints changes a node's taints as a well-behaved controller does: it starts over after a conflict.
func (c *cluster) setTaints(ctx context.Context, name string, change func([]corev1.Taint) []corev1.Taint) error {
	always := wait.Backoff{Steps: 1000, Duration: 5 * time.Millisecond, Factor: 1, Jitter: 5} // a cap would stop it early
	return retry.RetryOnConflict(always, func() error {
		node := &corev1.Node{}
		if err := c.kube.Get(ctx, client.ObjectKey{Name: name}, node); err != nil {
			return err
		}
		node.Spec.Taints = change(node.Spec.Taints)
		return c.kube.Update(ctx, node)
	})
}

func adding(taint corev1.Taint) func([]corev1.Taint) []corev1.Taint {
	return func(taints []corev1.Taint) []corev1.Taint { return append(without(taint.Key)(taints), taint) }
}

func without(key string) func([]corev1.Taint) []corev1.Taint {
	return func(taints []corev1.Taint) []corev1.Taint {
		return slices.DeleteFunc(taints, func(taint corev1.Taint) bool { return taint.Key == key })
	}
}

// taints returns the node's taints as text, in order.
func (c *cluster) taints(ctx context.Context, name string) ([]string, error) {
	node := &corev1.Node{}
	if err := c.kube.Get(ctx, client.ObjectKey{Name: name}, node); err != nil {
		return nil, err
	}
	return asText(node.Spec.Taints), nil
}

func asText(taints []corev1.Taint) []string {
	texts := []string{}
	for _, taint := range taints {
		text := taint.ToString()
		if taint.TimeAdded != nil {
			text += "@" + taint.TimeAdded.UTC().Format(time.RFC3339)
		}
		texts = append(texts, text)
	}
	return texts
}

// report writes a node's state as its agent does.
func (c *cluster) report(ctx context.Context, node *corev1.Node, entries ...v1alpha1.CertificateEntry) error {
	state := &v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: node.Name}}
	err := c.kube.Get(ctx, client.ObjectKeyFromObject(state), state)
	state.NodeUID, state.Certificates = string(node.UID), entries
	switch {
	case apierrors.IsNotFound(err):
		return c.kube.Create(ctx, state)
	case err != nil:
		return err
	}
	return c.kube.Update(ctx, state)
}

// require creates an ObservedCertificate that nodes wait for.
func (c *cluster) require(ctx context.Context, name string, changes ...func(*v1alpha1.ObservedCertificateSpec)) error {
	certificate := &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}}
	certificate.Spec.URL = "https://shop.vault.azure.net/secrets/" + name
	certificate.Spec.RequireInitialSync = true
	for _, change := range changes {
		change(&certificate.Spec)
	}
	return c.kube.Create(ctx, certificate)
}

// change changes the spec of an ObservedCertificate.
func (c *cluster) change(ctx context.Context, name string, change func(*v1alpha1.ObservedCertificateSpec)) error {
	certificate := &v1alpha1.ObservedCertificate{}
	if err := c.kube.Get(ctx, client.ObjectKey{Name: name}, certificate); err != nil {
		return err
	}
	change(&certificate.Spec)
	return c.kube.Update(ctx, certificate)
}

func installed(name string, generation int64) v1alpha1.CertificateEntry {
	return v1alpha1.CertificateEntry{
		Name: name, Generation: generation, Version: "0123456789abcdef0123456789abcdef",
		Thumbprint: "A9993E364706816ABA3E25717850C26C9CD0D89D",
	}
}

func failing(name string, reason v1alpha1.Reason) v1alpha1.CertificateEntry {
	return v1alpha1.CertificateEntry{Name: name, Generation: 1, State: v1alpha1.StateFailed, Reason: reason, Message: "https://shop.vault.azure.net returns 403"}
}

// numbered returns the name of one of many nodes.
func numbered(prefix string, i int) string { return fmt.Sprintf("%s-%04d", prefix, i) }
