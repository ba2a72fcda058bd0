package apiserver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// NewCache returns a cache whose initial lists are noticed at once. It is for the option NewCache of a manager.
//
// controller-runtime looks ten times a second whether a cache is filled, and after that whether its event handler has had the list,
// so a controller's first reconciliation would come 0.2 to 0.3 s late. Here both are waited for by channels, which client-go closes,
// and are over when controller-runtime looks for the first time.
func NewCache(config *rest.Config, options cache.Options) (cache.Cache, error) {
	inner, err := cache.New(config, options)
	if err != nil {
		return nil, err
	}
	return &promptCache{Cache: inner, used: map[cache.Informer]bool{}}, nil
}

type promptCache struct {
	cache.Cache
	mu   sync.Mutex
	used map[cache.Informer]bool
}

// GetInformer implements cache.Informers. Unless the caller says otherwise, it returns when the cache was started and the informer has
// its initial list.
func (c *promptCache) GetInformer(ctx context.Context, object client.Object, options ...cache.InformerGetOption) (cache.Informer, error) {
	settings := cache.InformerGetOptions{}
	for _, option := range options {
		option(&settings)
	}
	informer, err := c.Cache.GetInformer(ctx, object, append(options, cache.BlockUntilSynced(false))...)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.used[informer] = true
	c.mu.Unlock()
	if settings.BlockUntilSynced != nil && !*settings.BlockUntilSynced {
		return informer, nil
	}
	select {
	case <-informer.HasSyncedChecker().Done():
		return promptInformer{informer, ctx.Done()}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the list of %T: %w", object, ctx.Err())
	}
}

// WaitForCacheSync implements cache.Informers.
func (c *promptCache) WaitForCacheSync(ctx context.Context) bool {
	c.mu.Lock()
	used := slices.Collect(maps.Keys(c.used))
	c.mu.Unlock()
	for _, informer := range used {
		select {
		case <-informer.HasSyncedChecker().Done():
		case <-ctx.Done():
			return false
		}
	}
	return c.Cache.WaitForCacheSync(ctx) // that it was started, and for other informers
}

// promptInformer is an informer that has its list.
type promptInformer struct {
	cache.Informer
	ended <-chan struct{}
}

// AddEventHandlerWithOptions implements cache.Informer. It returns when the handler has had the list.
func (i promptInformer) AddEventHandlerWithOptions(handler toolscache.ResourceEventHandler, options toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	registration, err := i.Informer.AddEventHandlerWithOptions(handler, options)
	if err != nil {
		return nil, err
	}
	select {
	case <-registration.HasSyncedChecker().Done():
	case <-i.ended:
	}
	return registration, nil
}
