package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

func put(v *keyvault.Vault, query url.Values) (any, error) {
	name := query.Get("name")
	if name == "" {
		return nil, errors.New("name the secret")
	}
	if query.Has("value") {
		id, err := v.SetSecret(name, query.Get("contenttype"), query.Get("value"))
		return keyvault.Made{Version: id}, err
	}
	options, err := certificateOptions(query)
	if err != nil {
		return nil, err
	}
	count, err := number(query, "count", 1)
	if err != nil {
		return nil, err
	}
	if count == 1 {
		return v.Put(name, options)
	}
	return v.PutMany(name, count, options)
}

func certificateOptions(query url.Values) (o keyvault.CertificateOptions, err error) {
	if o.KeyType, err = keyvault.ParseKeyType(query.Get("keytype")); err != nil {
		return o, err
	}
	switch kind := strings.ToLower(query.Get("type")); kind {
	case "", "pfx":
	case "pem":
		o.ContentType = keyvault.PEM
	default:
		return o, fmt.Errorf("%q is not a type; the types are pfx and pem", kind)
	}
	if names := query.Get("dns"); names != "" {
		o.Names = strings.Split(names, ",")
	}
	o.WithChain, o.RootFirst = query.Get("chain") == "true", query.Get("rootfirst") == "true"
	o.LegacyPFX = query.Get("legacy") == "true"
	if o.NotBefore, err = date(query, "notbefore"); err != nil {
		return o, err
	}
	o.NotAfter, err = date(query, "notafter")
	return o, err
}

func throttle(v *keyvault.Vault, query url.Values) (any, error) {
	count, err := number(query, "count", -1)
	if err != nil {
		return nil, err
	}
	var after time.Duration
	if text := query.Get("retryafter"); text != "" {
		if after, err = time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("reading retryafter: %w", err)
		}
	}
	v.Throttle(after, after > 0, count)
	return done, nil
}

func number(query url.Values, name string, missing int) (int, error) {
	if query.Get(name) == "" {
		return missing, nil
	}
	value, err := strconv.Atoi(query.Get(name))
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", name, err)
	}
	return value, nil
}

func date(query url.Values, name string) (time.Time, error) {
	if query.Get(name) == "" {
		return time.Time{}, nil
	}
	value, err := time.Parse(time.RFC3339, query.Get(name))
	if err != nil {
		return time.Time{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return value, nil
}
