package eventgrid

import (
	"encoding/json"
	"errors"
)

// errNotBatch is a successful response that is JSON, and not Event Grid's.
var errNotBatch = errors.New("the response is not a batch of events")

// delivery is one received event, as it is. lockToken is what acknowledges it, empty if it cannot be acknowledged.
type delivery struct {
	lockToken string
	event     json.RawMessage
}

// readBatch reads the response to a receive. The SDK reads it too, but it refuses the whole batch if the envelope of one event is
// wrong, such as a time that is none; the others would never be seen, and none could be acknowledged. Its error is errNotBatch.
func readBatch(body []byte) ([]delivery, error) {
	var response struct {
		Value []json.RawMessage `json:"value"`
	}
	if json.Unmarshal(body, &response) != nil || response.Value == nil {
		return nil, errNotBatch
	}
	batch := make([]delivery, len(response.Value))
	for i, raw := range response.Value {
		one := fieldsOf(raw)
		batch[i] = delivery{lockToken: fieldsOf(one["brokerproperties"]).text("locktoken"), event: one["event"]}
	}
	return batch, nil
}
