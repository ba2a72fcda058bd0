package versionwatch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// choice is the version that nodes should have.
type choice struct {
	version string
	created time.Time // in the vault, zero where that is unknown
	// rollbackFrom is a newer version that must not be used any more, empty for none.
	rollbackFrom string
	// changes is when time alone changes the choice, zero for never.
	changes time.Time
}

// usability says whether a version may be used now.
type usability int

const (
	usable usability = iota
	disabled
	notYetValid
	expired
)

// choose returns the newest version that is enabled and within its dates. The error is a Failure with the reason why there is
// none. It is a pure function.
func choose(secret keyvault.SecretURL, versions []keyvault.Version, now time.Time) (choice, error) {
	slices.SortFunc(versions, func(a, b keyvault.Version) int { return -compareAge(a, b) })
	newest := slices.IndexFunc(versions, func(v keyvault.Version) bool { return usabilityOf(v, now) == usable })
	chosen := choice{changes: nextChange(versions, now)}
	if newest < 0 {
		return chosen, noneUsable(secret, versions, now)
	}
	chosen.version, chosen.created = versions[newest].ID, versions[newest].Created
	for _, newer := range versions[:newest] {
		if usabilityOf(newer, now) != notYetValid { // else it is the next version, not one to go back from
			chosen.rollbackFrom = newer.ID
			break
		}
	}
	return chosen, nil
}

// compareAge returns a positive number if a is the newer version. The vault's creation time decides; the others are for servers
// that do not have it.
func compareAge(a, b keyvault.Version) int {
	return cmp.Or(a.Created.Compare(b.Created), a.NotBefore.Compare(b.NotBefore), strings.Compare(a.ID, b.ID))
}

func usabilityOf(v keyvault.Version, now time.Time) usability {
	switch {
	case !v.Enabled:
		return disabled
	case now.Before(v.NotBefore):
		return notYetValid
	case !v.Expires.IsZero() && !now.Before(v.Expires):
		return expired
	}
	return usable
}

// nextChange returns when the next version becomes valid or expires.
func nextChange(versions []keyvault.Version, now time.Time) (next time.Time) {
	for _, v := range versions {
		for _, at := range []time.Time{v.NotBefore, v.Expires} {
			if v.Enabled && at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}

// noneUsable explains why no version can be used, by the newest one.
func noneUsable(secret keyvault.SecretURL, versions []keyvault.Version, now time.Time) error {
	why := map[usability]struct {
		reason v1alpha1.Reason
		text   string
	}{
		disabled:    {v1alpha1.ReasonSecretDisabled, "is disabled; enable it in the vault, or create a new one"},
		notYetValid: {v1alpha1.ReasonSecretNotYetValid, "is not to be used yet; wait for its activation date, or change it in the vault"},
		expired:     {v1alpha1.ReasonExpired, "has expired; renew the certificate in the vault"},
	}[usabilityOf(versions[0], now)]
	text := "its only version"
	if len(versions) > 1 {
		text = fmt.Sprintf("none of its %d versions is enabled and within its dates: the newest", len(versions))
	}
	return &keyvault.Failure{
		Reason:  why.reason,
		Message: fmt.Sprintf("secret %q in %s: %s, %s, %s", secret.Name, secret.Authority(), text, versions[0].ID, why.text),
	}
}
