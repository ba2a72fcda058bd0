package hostlog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at(text string) time.Time {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return moment
}

func TestNameOf(t *testing.T) {
	tests := []struct{ name, now, want string }{
		{"the day", "2026-03-01T12:00:00Z", "vaultpane_service_2026-03-01.log"},
		{"the last moment of a leap day", "2028-02-29T23:59:59Z", "vaultpane_service_2028-02-29.log"},
		{"a morning in Tokyo is the evening before in UTC", "2026-03-01T08:59:00+09:00", "vaultpane_service_2026-02-28.log"},
		{"an evening in Seattle is the morning after in UTC", "2026-12-31T17:00:00-08:00", "vaultpane_service_2027-01-01.log"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := nameOf(at(test.now)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestExpired(t *testing.T) {
	tests := []struct {
		name  string
		now   string
		keep  int
		names []string
		want  []string
	}{
		{"a file is kept for its days", "2026-03-15T00:00:00Z", 14, []string{"vaultpane_service_2026-03-01.log"}, nil},
		{"and then no longer", "2026-03-16T00:00:00Z", 14, []string{"vaultpane_service_2026-03-01.log"}, []string{"vaultpane_service_2026-03-01.log"}},
		{"the hour does not count", "2026-03-15T23:59:59Z", 14, []string{"vaultpane_service_2026-03-01.log"}, nil},
		{"the day counts in UTC", "2026-03-16T08:00:00+09:00", 14, []string{"vaultpane_service_2026-03-01.log"}, nil},
		{"one day keeps yesterday", "2026-03-02T01:00:00Z", 1, []string{"vaultpane_service_2026-02-28.log", "vaultpane_service_2026-03-01.log", "vaultpane_service_2026-03-02.log"}, []string{"vaultpane_service_2026-02-28.log"}},
		{"what is of the future stays", "2026-03-01T00:00:00Z", 1, []string{"vaultpane_service_2030-01-01.log"}, nil},
		{"nothing that is named otherwise", "2026-03-01T00:00:00Z", 1, []string{
			"akvvm_service_2020-01-01.log", "vaultpane_service_2020-01-01.log.bak", "vaultpane_service_2020-1-1.log",
			"vaultpane_service_2020-13-01.log", "vaultpane_service_.log", "vaultpane_service_2020-01-01", "x-vaultpane_service_2020-01-01.log",
			"vaultpane_service_2020-01-01T00.log", "VAULTPANE_SERVICE_2020-01-01.LOG", "2020-01-01", "",
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, expired(test.names, at(test.now), test.keep)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
