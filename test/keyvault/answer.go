package keyvault

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/delay"
)

// answer is a complete HTTP response.
type answer struct {
	status int
	header map[string]string
	body   []byte
}

const jsonType = "application/json; charset=utf-8"

// send writes the response, and closes the connection in the middle of its body if broken is true.
func (a answer) send(w http.ResponseWriter, broken bool) {
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
	w.WriteHeader(a.status)
	if !broken {
		_, _ = w.Write(a.body) // the client may have disconnected
		return
	}
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // makes net/http reset the connection or stream
}

// drip writes the response byte by byte with a pause before each, as long as the client waits.
func (a answer) drip(w http.ResponseWriter, r *http.Request, pause time.Duration) {
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	flush := http.NewResponseController(w)
	for _, one := range a.body {
		if flush.Flush() != nil || !delay.Request(r, pause) {
			return
		}
		_, _ = w.Write([]byte{one}) // the next flush fails if the client has disconnected
	}
}

// failure returns an error response of Key Vault, without an inner error if innerCode is empty.
func failure(status int, code, innerCode, message string) answer {
	detail := struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Inner   any    `json:"innererror,omitempty"`
	}{Code: code, Message: message}
	if innerCode != "" {
		detail.Inner = map[string]string{"code": innerCode}
	}
	body, _ := json.Marshal(map[string]any{"error": detail}) // texts always encode
	return answer{status: status, header: map[string]string{"Content-Type": jsonType}, body: body}
}

// with returns the response with one more header.
func (a answer) with(name, value string) answer {
	a.header = maps.Clone(a.header)
	a.header[name] = value
	return a
}

func throttled(retryAfter time.Duration, withHeader bool) answer {
	a := failure(http.StatusTooManyRequests, "Throttled", "",
		"Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached")
	if withHeader {
		seconds := int((retryAfter + time.Second - 1) / time.Second)
		a = a.with("Retry-After", fmt.Sprint(seconds))
	}
	return a
}

// htmlPage is the response of a proxy or portal in front of a vault.
func htmlPage(status int, text string) answer {
	return answer{
		status: status, header: map[string]string{"Content-Type": "text/html; charset=utf-8"},
		body: []byte("<!DOCTYPE html>\n<html><head><title>Network</title></head><body>" + text + "</body></html>\n"),
	}
}
