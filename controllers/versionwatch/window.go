package versionwatch

import "time"

// fetchRate is how many requests a second the nodes may make of a vault for new versions, together. Key Vault allows 4,000 in ten
// seconds, of all its clients (https://learn.microsoft.com/azure/key-vault/general/service-limits).
const fetchRate = 300

// window is when nodes fetch a version: after the delay, spread evenly.
type window struct {
	delay, spread time.Duration
}

// windows reserves time for the nodes' requests of each vault, so that versions which are published together are fetched one
// after the other.
type windows map[string]time.Time // by vault, when its last reservation ends

// reserve returns the next window of a vault for a number of nodes.
func (w windows) reserve(vault string, nodes int, now time.Time) window {
	begins := w[vault]
	if begins.Before(now) {
		begins = now
	}
	spread := time.Duration(nodes) * time.Second / fetchRate
	w[vault] = begins.Add(spread)
	return window{delay: begins.Sub(now), spread: spread}
}
