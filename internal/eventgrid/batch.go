package eventgrid

import "encoding/json"

// delivery is one received event, as it is. lockToken is what acknowledges it, empty if it cannot be acknowledged.
type delivery struct {
	lockToken string
	event     json.RawMessage
}

// readBatch reads the response to a receive. The SDK reads it too, but it refuses the whole batch if the envelope of one event is
// wrong, such as a time that is none; the others would never be seen, and none could be acknowledged.
func readBatch(body []byte) ([]delivery, error) {
	var response struct {
		Value []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return nil, err
	}
	batch := make([]delivery, len(response.Value))
	for i, raw := range response.Value {
		one := fieldsOf(raw)
		batch[i] = delivery{lockToken: fieldsOf(one["brokerproperties"]).text("locktoken"), event: one["event"]}
	}
	return batch, nil
}
