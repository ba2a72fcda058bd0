package keyvault

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// Version is what a vault tells of one version of a secret without its value.
type Version struct {
	// ID is the version in the secret's URL.
	ID string
	// Enabled is false for a version that was disabled in the vault, whose value nobody can read.
	Enabled bool
	// Created orders the versions of a secret; zero if the response does not have it.
	Created time.Time
	// NotBefore and Expires are the version's own validity in the vault; zero if it has none.
	NotBefore, Expires time.Time
}

// Bounds of a list of versions.
const (
	// listTimeout is how long all pages of a list may take together. A page has 25 versions.
	listTimeout = 3 * callerTimeout
	// maxVersions and maxPages bound a list: a server that returns pages without end must not fill the memory, nor one that returns
	// empty ones be asked without end. Key Vault has no limit.
	maxVersions = 10_000
	maxPages    = maxVersions / 25
)

// Versions lists the versions of a secret, in no order, with the process's own identity. It requires the permission to list secrets, not to read them. A pinned version in the URL does not matter. Errors are as those of
// Get; a secret without versions is a Failure with SecretNotFound.
func (c *Clients) Versions(ctx context.Context, secret SecretURL) ([]Version, error) {
	secret.Version = ""
	asked := request{secret: secret, list: true}
	return limited(ctx, c, asked, listTimeout, func(ctx context.Context) ([]Version, error) {
		listed, err := send(ctx, c, asked, allVersions(secret))
		if err != nil {
			return nil, err
		}
		return listed.versions(asked)
	})
}

// list is what a vault lists.
type list struct {
	properties []*azsecrets.SecretProperties
	elsewhere  bool // it continues on another host, which must not receive a token
	tooLong    bool // it has more pages or versions than are read, and the newest may be among the rest
}

// allVersions reads all pages: their order is that of the versions' ids, which are random.
func allVersions(secret SecretURL) call[list] {
	return func(ctx context.Context, client *azsecrets.Client) (list, error) {
		var all list
		pager := client.NewListSecretPropertiesVersionsPager(secret.Name, nil)
		for pages := 0; pager.More(); pages++ {
			if all.tooLong = pages == maxPages || len(all.properties) >= maxVersions; all.tooLong {
				break
			}
			page, err := pager.NextPage(ctx)
			if err != nil {
				return list{}, err
			}
			all.properties = append(all.properties, page.Value...)
			if all.elsewhere = !sameHost(page.NextLink, secret); all.elsewhere {
				break
			}
		}
		return all, nil
	}
}

// sameHost reports whether the next page of a list, if there is one, is on the same vault.
func sameHost(next *string, secret SecretURL) bool {
	if next == nil || *next == "" {
		return true
	}
	link, err := url.Parse(*next)
	if err != nil || link.Scheme != "https" {
		return false
	}
	port := link.Port()
	if port == "443" {
		port = ""
	}
	return lower(link.Hostname()) == secret.Host && port == secret.Port
}

// versions returns the versions in a list, or a Failure.
func (l list) versions(asked request) ([]Version, error) {
	switch {
	case l.elsewhere:
		return nil, notFromKeyVault(asked, "the list continues on another host")
	case l.tooLong:
		return nil, &Failure{
			Reason: v1alpha1.ReasonMalformedSecret,
			Message: fmt.Sprintf("%sthe list of its versions does not end after %d versions and %d pages; create the certificate under another name, and use that in spec.url",
				about(asked), len(l.properties), maxPages),
		}
	}
	versions := make([]Version, 0, len(l.properties))
	for _, one := range l.properties {
		if one == nil || one.ID == nil || !responseVersion.MatchString(one.ID.Version()) {
			return nil, notFromKeyVault(asked, "the list has a version without an id")
		}
		versions = append(versions, versionOf(one))
	}
	if len(versions) == 0 {
		return nil, &Failure{
			Reason:  v1alpha1.ReasonSecretNotFound,
			Message: fmt.Sprintf("%sthe vault has no version of it; %s", about(asked), adviceFor(v1alpha1.ReasonSecretNotFound, asked, &vaultError{})),
		}
	}
	return versions, nil
}

func notFromKeyVault(asked request, what string) *Failure {
	return &Failure{
		Reason:  v1alpha1.ReasonVaultUnreachable,
		Message: about(asked) + what + ", so it is not Key Vault's; " + exchange.CheckProxies,
	}
}

// versionOf reads the attributes. One that is absent says nothing: a version is enabled unless the vault says that it is not.
func versionOf(one *azsecrets.SecretProperties) Version {
	version := Version{ID: one.ID.Version(), Enabled: true}
	attributes := one.Attributes
	if attributes == nil {
		return version
	}
	version.Enabled = attributes.Enabled == nil || *attributes.Enabled
	for _, read := range []struct {
		into *time.Time
		from *time.Time
	}{{&version.Created, attributes.Created}, {&version.NotBefore, attributes.NotBefore}, {&version.Expires, attributes.Expires}} {
		if read.from != nil {
			*read.into = *read.from
		}
	}
	if year := version.Created.UTC().Year(); year < 1 || year > 9999 {
		version.Created = time.Time{} // the API server rejects such a time, and with it the whole status
	}
	return version
}
