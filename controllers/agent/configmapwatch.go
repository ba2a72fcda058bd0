package agent

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// start starts the watch of a ConfigMap. The caller holds the lock.
func (c *ConfigMaps) start(name string, one *watched) {
	ctx, stop := context.WithCancel(ctrl.LoggerInto(context.Background(), ctrl.Log.WithName("configmaps")))
	one.stop, one.running = stop, true
	selected := []client.ListOption{client.InNamespace(c.InNamespace), client.MatchingFields{metav1.ObjectNameField: name}}
	// The metadata may contain the content too, in kubectl's annotation. Only requests that select the name are allowed. One that is
	// refused ends the watch: the next poll reads the ConfigMap, and begins another if that is allowed. A watch that went on would have
	// every node ask all the time.
	refused := func(err error) error {
		if apierrors.IsForbidden(err) {
			c.note(ctx, name, one, revisionDenied, false) // which queues nothing after the context has ended
			stop()
		}
		return err
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := metadataList()
			return list, refused(c.Client.List(unlogged(ctx), list, append(selected, &client.ListOptions{Raw: &options})...))
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			events, err := c.Client.Watch(unlogged(ctx), metadataList(), append(selected, &client.ListOptions{Raw: &options})...)
			return events, refused(err)
		},
	}
	store := revisionStore(func(revision string) { c.note(ctx, name, one, revision, true) })
	reflector := cache.NewReflectorWithOptions(source, &metav1.PartialObjectMetadata{}, store, cache.ReflectorOptions{Name: "configmap " + name})
	go reflector.RunWithContext(ctx)
}

func metadataList() *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(configMapList)
	return list
}

var configMapList = corev1.SchemeGroupVersion.WithKind("ConfigMapList")

// note records the revision of a ConfigMap, and if it is another one, has the certificates processed that name it, within Spread.
func (c *ConfigMaps) note(ctx context.Context, name string, one *watched, revision string, running bool) {
	c.mu.Lock()
	if c.watches[name] != one {
		c.mu.Unlock()
		return // no certificate names it any more
	}
	changed := one.revision != revision
	one.revision, one.running = revision, running
	users := slices.Sorted(maps.Keys(one.users))
	c.mu.Unlock()
	if !changed {
		return
	}
	process := func() {
		for _, certificate := range users {
			c.process(ctx, certificate)
		}
	}
	if c.Spread <= 0 || !running { // without a watch, its context ends
		process()
		return
	}
	time.AfterFunc(rand.N(c.Spread), process)
}

// revisionStore is the store of a reflector that has at most one object. It keeps nothing, and is called with the object's resource
// version.
type revisionStore func(revision string)

// Add implements cache.ReflectorStore.
func (s revisionStore) Add(object any) error {
	accessor, err := meta.Accessor(object)
	if err == nil {
		s(accessor.GetResourceVersion())
	}
	return err
}

// Update implements cache.ReflectorStore.
func (s revisionStore) Update(object any) error { return s.Add(object) }

// Delete implements cache.ReflectorStore.
func (s revisionStore) Delete(any) error {
	s(revisionAbsent)
	return nil
}

// Replace implements cache.ReflectorStore.
func (s revisionStore) Replace(objects []any, _ string) error {
	if len(objects) == 0 {
		return s.Delete(nil)
	}
	return s.Add(objects[0])
}

// Resync implements cache.ReflectorStore.
func (revisionStore) Resync() error { return nil }

func sortedKeys(text map[string]string, binary map[string][]byte) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(text)), maps.Keys(binary))
	slices.Sort(keys)
	return keys
}
