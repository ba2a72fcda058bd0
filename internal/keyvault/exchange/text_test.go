package exchange

import (
	"strings"
	"testing"
)

func TestOneLineMakesForeignTextSafeForAStatus(t *testing.T) {
	const id = "0f8fad5b-d9cb-469f-a165-70867728950e"
	tests := []struct{ name, text, want string }{
		{"lines", "  Caller is not authorized.\r\nTry again.\n", "Caller is not authorized. Try again"},
		{"escape sequences and C1 control characters", "a\x1b[31mb\x7f\u009bc", "ab\ufffd"},
		{"direction marks, separators and bytes that are not UTF-8", "a\u202eb\u2028c\xff", "a\ufffdb c\ufffd"},
		{"Entra ID's ids and time", "AADSTS7000215: Invalid client secret. Trace ID: " + id + " Correlation ID: " + id + " Timestamp: 2026-11-28 10:11:12Z",
			"AADSTS7000215: Invalid client secret"},
		{"the time of the attempt, and not those of the assertion",
			"not within its valid time range. Current time: 2026-11-28T10:11:12.0000000Z, assertion valid from 2026-11-28T08:11:12.0000000Z.",
			"not within its valid time range. assertion valid from 2026-11-28T08:11:12.0000000Z"},
		{"a gateway's ids", "Blocked, request id: '" + id + "', ActivityId=" + id, "Blocked"},
		{"ids that belong to the cause", "Application with identifier '" + id + "' was not found", "Application with identifier '" + id + "' was not found"},
		{"HTTP/2", "stream error: stream ID 31; INTERNAL_ERROR; received from peer", "stream error: INTERNAL_ERROR; received from peer"},
		{"GOAWAY", "http2: server sent GOAWAY and closed the connection; LastStreamID=3, ErrCode=NO_ERROR, debug=\"\"", "http2: server sent GOAWAY and closed the connection; ErrCode=NO_ERROR, debug=\"\""},
		{"a local port", "read udp 10.0.0.4:51234->10.0.0.10:53: read: connection refused", "read 10.0.0.10:53: read: connection refused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := OneLine(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := []rune(OneLine(strings.Repeat("ä", 400))); len(got) != MaxText || got[len(got)-1] != '…' {
		t.Errorf("got %d characters, want %d and an ellipsis", len(got), MaxText)
	}
}

func TestTheGistIsTheCause(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Operation get is not allowed on a disabled secret.", "Operation get is not allowed on a disabled secret"},
		{"A secret with (name/id) word was not found in this key vault. If you recently deleted this secret you may …",
			"A secret with (name/id) word was not found in this key vault"},
		{"AADSTS700213: No record for subject 's'. Check your federated identity credential Subject.", "AADSTS700213: No record for subject 's'"},
		{"The specified version (9) is not recognized. Consider using the latest supported version (7).",
			"The specified version (9) is not recognized. Consider using the latest supported version (7)"},
		{"Caller is not authorized.\r\nFor help ask.", "Caller is not authorized"},
	}
	for _, test := range tests {
		if got := Gist(test.text); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
