package keyvault

import "maps"

// Stats are a vault's counters since its start or ResetStats.
type Stats struct {
	// Requests are the authenticated GETs, with any response code.
	Requests int `json:"requests"`
	// Unauthorized are the responses 401; they are in no other counter.
	Unauthorized int `json:"unauthorized"`
	// Connections are the TCP connections that were accepted, with or without a TLS handshake after.
	Connections int `json:"connections"`
	// Lists are the Requests for a page of a list of versions.
	Lists int `json:"lists"`
	// BySecret are the Requests by the secret's name in lower case; including lists of versions.
	BySecret map[string]int `json:"bySecret"`
	// ByCode are the Requests by HTTP status.
	ByCode map[int]int `json:"byCode"`
}

func newStats() Stats { return Stats{BySecret: map[string]int{}, ByCode: map[int]int{}} }

// Stats returns a copy of the counters. A request is counted before its response is sent.
func (v *Vault) Stats() Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	result := v.stats
	result.BySecret, result.ByCode = maps.Clone(v.stats.BySecret), maps.Clone(v.stats.ByCode)
	return result
}

// ResetStats sets the counters to zero.
func (v *Vault) ResetStats() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats = newStats()
}

func (v *Vault) countConnection() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats.Connections++
}

func (v *Vault) countUnauthorized() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats.Unauthorized++
}

func (v *Vault) countRequest(asked request, code int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats.Requests++
	v.stats.ByCode[code]++
	if asked.list {
		v.stats.Lists++
	}
	if asked.name != "" {
		v.stats.BySecret[key(asked.name)]++
	}
}
