package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// flags declares an action's flags. The returned function returns the flags that were set, as a query.
func (a action) flags(set *flag.FlagSet) func() url.Values {
	set.String("vault", "", "the vault")
	for _, name := range a.options {
		set.String(name, "", "")
	}
	for _, name := range a.switches {
		set.Bool(name, false, "")
	}
	return func() url.Values {
		query := url.Values{}
		set.Visit(func(given *flag.Flag) {
			if given.Name != "dir" {
				query.Set(given.Name, given.Value.String())
			}
		})
		return query
	}
}

// call requests an action of the running vaults, and prints the response.
func call(ctx context.Context, dir, action string, query url.Values) error {
	base, err := controlURL(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute) // thousands of RSA keys take long
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/"+action+"?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("requesting the vaults: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{}} // no proxy to this machine itself
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("requesting the vaults: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it has been read completely
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16)) // the status is the error
		return fmt.Errorf("%s: %s", action, strings.TrimSpace(string(text)))
	}
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return fmt.Errorf("reading the vaults' response: %w", err)
	}
	return nil
}
