package agent

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// refusing refuses each request.
type refusing struct{ client.WithWatch }

// List implements client.WithWatch.
func (refusing) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return apierrors.NewForbidden(corev1.Resource("configmaps"), "bundle", nil)
}

// Watch implements client.WithWatch.
func (refusing) Watch(context.Context, client.ObjectList, ...client.ListOption) (watch.Interface, error) {
	return nil, apierrors.NewForbidden(corev1.Resource("configmaps"), "bundle", nil)
}

// A certificate is queued only while the context goes on, so the watch must not end it first.
func TestARefusedWatchHasItsCertificatesProcessed(t *testing.T) {
	ended := make(chan error, 1)
	maps := &ConfigMaps{Client: refusing{}, process: func(ctx context.Context, _ string) { ended <- ctx.Err() }}
	maps.Follow("web", "bundle")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it is processed with a context that has ended: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it is not processed")
	}
}
