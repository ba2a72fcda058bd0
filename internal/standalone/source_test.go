package standalone

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func foundOf(names ...string) Found {
	var found Found
	for _, name := range names {
		found.Certificates = append(found.Certificates, v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	return found
}

// A file that is copied slowly, or replaced by deleting it first, has fewer certificates for a moment.
func TestACertificateLeavesAfterItsGrace(t *testing.T) {
	now := noon
	source := &Source{Grace: 10 * time.Second, Now: func() time.Time { return now }}
	look := func(when string, after time.Duration, found Found, wantGone, wantIncomplete bool) {
		t.Helper()
		now = now.Add(after)
		_, gone := source.Replace(found, nil)
		web, _ := source.Get(t.Context(), "web")
		if left := slices.Equal(gone, []string{"web"}); left != wantGone || (web == nil) != wantGone || source.Incomplete() != wantIncomplete {
			t.Errorf("%s: gone are %v, web is there: %t, incomplete: %t", when, gone, web != nil, source.Incomplete())
		}
	}
	incomplete, changed := foundOf("api"), foundOf("api")
	incomplete.Incomplete, changed.Changed = true, true
	look("at first", 0, foundOf("api", "web"), false, false)
	look("missing", time.Hour, foundOf("api"), false, true)
	look("back", time.Hour, foundOf("api", "web"), false, false)
	look("missing again", time.Hour, foundOf("api"), false, true)
	look("while another file is wrong", time.Hour, incomplete, false, true)
	look("while files change", time.Hour, changed, false, true)
	look("not long enough", 9*time.Second, foundOf("api"), false, true)
	look("the clock is set back", -time.Hour, foundOf("api"), false, true)
	look("long enough", 10*time.Second, foundOf("api"), true, false)
}

func TestACertificateThatGetsAnotherNameLeavesTheOldOneAtOnce(t *testing.T) {
	source := &Source{Grace: 10 * time.Second, Now: func() time.Time { return noon }}
	before, after := foundOf("web"), foundOf("web-ops-1234")
	before.Certificates[0].UID, after.Certificates[0].UID = "uid", "uid"
	source.Replace(before, nil)
	if changed, gone := source.Replace(after, nil); !slices.Equal(changed, []string{"web-ops-1234"}) || !slices.Equal(gone, []string{"web"}) || source.Incomplete() {
		t.Errorf("changed are %v, gone are %v, incomplete: %t", changed, gone, source.Incomplete())
	}
}
