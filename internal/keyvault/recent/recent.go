// Package recent is a bounded cache of the values that were used most recently.
package recent

import "k8s.io/utils/lru"

// Cache keeps the values that were used most recently. What is known of vaults and identities is kept in one: authors of
// ObservedCertificates name them, so without a bound an author could fill the memory of each node by naming more and more.
// It is safe for concurrent use.
type Cache[K comparable, V any] struct{ cache *lru.Cache }

// Vaults is how many vaults are remembered with one identity each, more than a node reads from. If a vault was dropped and is
// named again, its challenge and a token are requested again.
const Vaults = 1000

// New returns a cache of at most size values.
func New[K comparable, V any](size int) Cache[K, V] {
	return Cache[K, V]{lru.New(size)}
}

// Get returns a key's value and marks it as used.
func (c Cache[K, V]) Get(key K) (value V, ok bool) {
	found, ok := c.cache.Get(key)
	if !ok {
		return value, false
	}
	value, ok = found.(V)
	return value, ok
}

// Put keeps a value. If the cache is full, the least recently used value is dropped.
func (c Cache[K, V]) Put(key K, value V) { c.cache.Add(key, value) }

// Len returns the number of values.
func (c Cache[K, V]) Len() int { return c.cache.Len() }
