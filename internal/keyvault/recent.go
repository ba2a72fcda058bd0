package keyvault

import "k8s.io/utils/lru"

// recent keeps what is known of the vaults or identities that were used last. Authors of ObservedCertificates name them, so
// without a bound one of them could fill the memory of each node by naming ever new ones.
type recent[K comparable, V any] struct{ cache *lru.Cache }

// keptVaults is how many vaults are remembered with one identity each, more than a node reads from. For a vault that was
// dropped and is named again, the challenge and the token are asked for again.
const keptVaults = 1000

func keep[K comparable, V any](size int) recent[K, V] {
	return recent[K, V]{lru.New(size)}
}

// get returns a key's value, which counts as used.
func (r recent[K, V]) get(key K) (value V, ok bool) {
	found, ok := r.cache.Get(key)
	if !ok {
		return value, false
	}
	value, ok = found.(V)
	return value, ok
}

// put keeps a value, if need be in place of the one that was not used for longest.
func (r recent[K, V]) put(key K, value V) { r.cache.Add(key, value) }
