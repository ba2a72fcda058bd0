package winservice

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStatusForPeople(t *testing.T) {
	for _, test := range []struct {
		status Status
		want   string
	}{
		{Status{Name: "agent"}, "service agent: not installed"},
		{
			Status{Name: "agent", Installed: true, State: "running", PID: 12, StartType: "automatic (delayed)", CommandLine: `C:\agent.exe run`},
			"service agent: running (process 12)\nstart: automatic (delayed)\ncommand: C:\\agent.exe run",
		},
		{
			Status{Name: "agent", Installed: true, State: "stopped", StartType: "disabled", CommandLine: "agent", ExitCode: 1},
			"service agent: stopped\nstart: disabled\ncommand: agent\nlast exit code: 1",
		},
	} {
		if got := test.status.String(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestTheTextOfAnEventFitsIntoIt(t *testing.T) {
	var got string
	log := &Log{write: func(_ kind, _ uint32, text string) { got = text }}
	if log.Info(EventStarted, "a\x00b"); got != "a b" {
		t.Errorf("got %q", got)
	}
	log.Error(EventFailed, "a"+strings.Repeat("ä", longest))
	if len(got) > longest || len(got) < longest-1 || !utf8.ValidString(got) {
		t.Errorf("%d bytes", len(got))
	}
	log.Close()
	got = ""
	if log.Warning(EventCertificate, "late"); got != "" {
		t.Errorf("after Close: %q", got)
	}
}
