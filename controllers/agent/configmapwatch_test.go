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

// All nodes see a change at the same moment: they must not all read the ConfigMap then.
func TestAChangeIsReadAtAMomentOfTheSpread(t *testing.T) {
	read := make(chan string, 1)
	one := &watched{users: map[string]bool{"web": true}}
	maps := &ConfigMaps{watches: map[string]*watched{"bundle": one}, process: func(_ context.Context, name string) { read <- name }}
	maps.note(t.Context(), "bundle", one, "1", true)
	if name := <-read; name != "web" {
		t.Errorf("without a spread, %q is processed", name)
	}
	maps.Spread = time.Hour
	maps.note(t.Context(), "bundle", one, "2", true)
	select {
	case <-read:
		t.Error("it is processed at once")
	case <-time.After(100 * time.Millisecond):
	}
	if maps.Revision("bundle") != "2" {
		t.Error("the revision is not known at once")
	}
}
