package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// action changes a vault: a POST to its name, with its options as query.
type action struct {
	options, switches []string
	do                func(*keyvault.Vault, url.Values) (any, error)
}

var actions = map[string]action{
	"put": {
		options:  []string{"name", "type", "keytype", "count", "dns", "notbefore", "notafter", "value", "contenttype"},
		switches: []string{"chain", "rootfirst", "legacy"}, do: put,
	},
	"rotate": {options: []string{"name"}, do: func(v *keyvault.Vault, q url.Values) (any, error) { return v.Rotate(q.Get("name")) }},
	"disable": {options: []string{"name", "version"}, do: func(v *keyvault.Vault, q url.Values) (any, error) {
		return done, v.Disable(q.Get("name"), q.Get("version"))
	}},
	"enable": {options: []string{"name", "version"}, do: func(v *keyvault.Vault, q url.Values) (any, error) {
		return done, v.Enable(q.Get("name"), q.Get("version"))
	}},
	"delete":   {options: []string{"name"}, do: func(v *keyvault.Vault, q url.Values) (any, error) { return done, v.Delete(q.Get("name")) }},
	"recover":  {options: []string{"name"}, do: func(v *keyvault.Vault, q url.Values) (any, error) { return done, v.Recover(q.Get("name")) }},
	"throttle": {options: []string{"count", "retryafter"}, do: throttle},
	"stop":     {do: func(v *keyvault.Vault, _ url.Values) (any, error) { v.Stop(); return done, nil }},
	"start":    {do: func(v *keyvault.Vault, _ url.Values) (any, error) { return done, v.Start() }},
	"heal":     {do: func(v *keyvault.Vault, _ url.Values) (any, error) { v.Heal(); return done, nil }},
	"stats":    {do: func(v *keyvault.Vault, _ url.Values) (any, error) { return v.Stats(), nil }},
}

// done is the response to an action without a result.
var done = map[string]bool{"done": true}

// newControl serves actions. Every process that can reach this machine's loopback address may use it: it is for tests.
func newControl(server *keyvault.Server, vaults []string) http.Handler {
	mux := http.NewServeMux()
	for name, action := range actions {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
			result, err := control(server, vaults, name, action, r.URL.Query())
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(result) // the client may have disconnected
		})
	}
	return mux
}

func control(server *keyvault.Server, vaults []string, name string, action action, query url.Values) (any, error) {
	asked := query.Get("vault")
	if asked == "" && name == "stats" {
		return allStats(server, vaults), nil
	}
	for _, vault := range vaults {
		if vault == asked {
			return action.do(server.Vault(vault), query)
		}
	}
	return nil, fmt.Errorf("there is no vault %q; name one of %s", asked, strings.Join(vaults, ", "))
}

func allStats(server *keyvault.Server, vaults []string) any {
	all := map[string]keyvault.Stats{}
	for _, vault := range vaults {
		all[vault] = server.Vault(vault).Stats()
	}
	return map[string]any{"vaults": all, "tokenRequests": server.TokenRequests()}
}
