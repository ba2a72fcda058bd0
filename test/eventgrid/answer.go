package eventgrid

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// answer is a complete HTTP response.
type answer struct {
	status int
	header map[string]string
	body   []byte
}

// failure returns an error response in Event Grid's form: the fields are those that the SDK's own tests show.
func failure(status int, code, message string) *answer {
	return newAnswer(status, map[string]any{"error": map[string]string{
		"code": code, "message": message, "timestamp_utc": time.Now().UTC().Format(time.RFC3339Nano), "tracking_id": uuid.NewString(),
	}})
}

func newAnswer(status int, body any) *answer {
	encoded, err := json.Marshal(body)
	if err != nil { // an event that a test put there is not JSON at all
		panic("eventgrid: " + err.Error())
	}
	return &answer{status: status, header: map[string]string{"Content-Type": "application/json; charset=utf-8"}, body: encoded}
}

// with adds a header.
func (a *answer) with(name, value string) *answer {
	a.header[name] = value
	return a
}

func (a *answer) send(w http.ResponseWriter) {
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have disconnected
}
