package terminal

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestCharactersBeyondASCIIFollowTheLocale(t *testing.T) {
	for _, test := range []struct {
		name, system string
		terminal     bool
		variables    map[string]string
		want         bool
	}{
		{"LANG names UTF-8", "linux", true, map[string]string{"LANG": "de_DE.UTF-8"}, true},
		{"in another spelling", "linux", false, map[string]string{"LANG": "C.utf8"}, true},
		{"LC_ALL goes first", "linux", true, map[string]string{"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, false},
		{"then LC_CTYPE", "darwin", true, map[string]string{"LC_CTYPE": "UTF-8", "LANG": "C"}, true},
		{"no locale", "linux", true, nil, false},
		{"a console of Windows", "windows", true, nil, true},
		{"a pipe on Windows", "windows", false, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := showsUTF8(test.system, test.terminal, func(name string) string { return test.variables[name] })
			if got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestBarIsFullOnlyWhenAllIsDone(t *testing.T) {
	for _, test := range []struct {
		done, total int
		want        string
	}{
		{0, 50, "[..........]"},
		{1, 5000, "[#.........]"},
		{25, 50, "[#####.....]"},
		{4999, 5000, "[#########.]"},
		{50, 50, "[##########]"},
		{0, 0, "[..........]"},
	} {
		if got := (Style{}).Bar(test.done, test.total, 10); got != test.want {
			t.Errorf("%d of %d is %s, want %s", test.done, test.total, got, test.want)
		}
	}
	if got, want := (Style{UTF8: true}).Bar(34, 50, 10), "██████░░░░"; got != want {
		t.Errorf("beyond ASCII it is %s, want %s", got, want)
	}
}

func TestTableLeavesOutColumnsThenCuts(t *testing.T) {
	columns := []Column{{Title: "NAME", Min: 6}, {Title: "NODES"}, {Title: "NOTHING"}, {Title: "SINCE", Drop: 1}, {Title: "VERSION", Drop: 2}}
	rows := [][]Cell{
		{{"gateway-of-the-shop", Plain}, {"50/50", Good}, {}, {"3 m", Plain}, {"8d85ba28", Plain}},
		{{"web", Plain}, {"1/50", Plain}, {}, {}, {"5bbe093a", Plain}},
	}
	for width, want := range map[int]string{
		0: `NAME                 NODES  SINCE  VERSION
gateway-of-the-shop  50/50  3 m    8d85ba28
web                  1/50          5bbe093a
`,
		40: `NAME                 NODES  SINCE
gateway-of-the-shop  50/50  3 m
web                  1/50
`,
		20: `NAME           NODES
gateway-of...  50/50
web            1/50
`,
		5: `NAME    NODES
gat...  50/50
web     1/50
`,
	} {
		got := Style{Width: width}.Table(columns, rows)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at width %d:\n%s", width, diff)
		}
	}
	if got := (Style{}).Table(columns, nil); got != "" {
		t.Errorf("without rows it is %q", got)
	}
	if got := (Style{Color: true}).Table(columns, rows); !strings.Contains(got, "\x1b[32m50/50\x1b[0m  3 m") {
		t.Errorf("the colour is missing, or counts as width: %q", got)
	}
}

func TestWrapKeepsWordsWhole(t *testing.T) {
	const url = "https://shop.vault.azure.net/secrets/web/170e83b97d0676b6db60e0bc094312248647f736"
	got := Style{Width: 40}.Wrap("  - ", "    ", "give the identity the role Key Vault Secrets User on "+url+" and wait")
	want := "  - give the identity the role Key Vault\n    Secrets User on\n    " + url + "\n    and wait\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := (Style{}).Wrap("a ", "", strings.Repeat("word ", 100)); strings.Count(got, "\n") != 1 || utf8.RuneCountInString(got) != 502 {
		t.Errorf("without a width it is not one line: %q", got)
	}
}

func TestAgesHaveOneUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0 s", 59 * time.Second: "59 s", time.Minute: "1 m", 59 * time.Minute: "59 m",
		47 * time.Hour: "47 h", 48 * time.Hour: "2 d", 1000 * time.Hour: "41 d",
	} {
		if got := Age(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 11, 29, 4, 0, 0, 0, time.UTC)
	if got := Until(now.Add(72*time.Hour), now) + ", " + Until(now.Add(-time.Hour), now); got != "in 3 d, 1 h ago" {
		t.Errorf("got %q", got)
	}
}

func TestVersionsOfKeyVaultAreShortened(t *testing.T) {
	for version, want := range map[string]string{"170e83b97d0676b6db60e0bc09431224": "170e83b9", "v2": "v2", "": "", "a-version-of-another-vault-here-x": "a-version-of-another-vault-here-x"} {
		if got := ShortVersion(version); got != want {
			t.Errorf("%q is %q, want %q", version, got, want)
		}
	}
}

func TestDurationsAreAsAFlagTakesThem(t *testing.T) {
	for d, want := range map[time.Duration]string{5 * time.Minute: "5m", 90 * time.Second: "1m30s", time.Hour: "1h", 3 * time.Second: "3s", 0: "0s", 10 * time.Minute: "10m", time.Hour + time.Minute: "1h1m"} {
		if got := Duration(d); got != want {
			t.Errorf("%d is %q, want %q", d, got, want)
		}
	}
}

func TestTheSignCountsAsWidth(t *testing.T) {
	got := Style{Width: 10, Color: true}.Signed(Bad, "  ", "web: 1 of 2")
	if want := "\x1b[31mx\x1b[0m web: 1\n  of 2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrapRemovesWhatATerminalWouldActOn(t *testing.T) {
	got := Style{Width: 40}.Wrap("- ", "  ", "read\x1b[2J \x1b]0;title\x07\r\n✓ ok \u202eno \u009b31m")
	if want := "- read �]0;title� ✓ ok �no\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
