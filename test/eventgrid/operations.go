package eventgrid

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// Limits of the service (https://learn.microsoft.com/azure/event-grid/quotas-limits and the SDK's ReceiveEventsOptions).
const (
	maxEvents   = 100
	minWait     = 10
	maxWait     = 120
	defaultWait = 60
	maxBody     = 1 << 20 // of a published batch
)

// receive locks events and returns them. Without one it waits for the first.
func (s *Server) receive(r *http.Request) *answer {
	limit, valid := number(r, "maxEvents", 1, 1, maxEvents)
	seconds, validWait := number(r, "maxWaitTime", defaultWait, minWait, maxWait)
	if !valid || !validWait {
		return failure(http.StatusBadRequest, "BadRequest", "maxEvents must be 1 to 100, maxWaitTime 10 to 120")
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for {
		if s.isDeleted() { // while the receive waited
			return failure(http.StatusNotFound, "NotFound", "The event subscription was not found.")
		}
		taken, changed, next := s.queue.take(limit, time.Now())
		if len(taken) > 0 || !time.Now().Before(end) || s.ignoresWait() {
			s.countDelivered(len(taken))
			return newAnswer(http.StatusOK, map[string]any{"value": details(taken)})
		}
		timer := time.NewTimer(time.Until(earlier(next, end)))
		select {
		case <-changed:
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// detail is one event of a response to receive.
type detail struct {
	BrokerProperties struct {
		LockToken     string `json:"lockToken"`
		DeliveryCount int    `json:"deliveryCount"`
	} `json:"brokerProperties"`
	Event json.RawMessage `json:"event"`
}

func details(taken []delivery) []detail {
	all := make([]detail, len(taken))
	for i, one := range taken {
		all[i].BrokerProperties.LockToken, all[i].BrokerProperties.DeliveryCount = one.token, one.count
		all[i].Event = one.event
	}
	return all
}

// number returns a query parameter, a default for none, and whether it is within bounds.
func number(r *http.Request, name string, byDefault, low, high int) (int, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return byDefault, true
	}
	value, err := strconv.Atoi(text)
	return value, err == nil && value >= low && value <= high
}

// settle acknowledges, releases or rejects events, or renews their locks.
func (s *Server) settle(r *http.Request, operation string) *answer {
	var body struct {
		LockTokens []string `json:"lockTokens"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&body); err != nil || len(body.LockTokens) == 0 {
		return failure(http.StatusBadRequest, "BadRequest", "`lockTokens` must be a non-empty array")
	}
	delay, valid := number(r, "releaseDelayInSeconds", 0, 0, 3600)
	if !valid {
		return failure(http.StatusBadRequest, "BadRequest", "releaseDelayInSeconds must be 0, 10, 60, 600 or 3600")
	}
	now := time.Now()
	succeeded, failed := s.queue.settle(body.LockTokens, now, func(one *delivery) {
		if operation == RenewLock {
			one.until = now.Add(s.queue.lock)
			return
		}
		delete(s.queue.locked, one.token)
		switch operation {
		case Release:
			one.until = now.Add(time.Duration(delay) * time.Second)
			s.queue.requeue(one)
		case Reject:
			s.queue.dropped++
		}
	})
	if operation == Acknowledge {
		s.countAcknowledged(len(succeeded))
	}
	lost := make([]any, len(failed))
	for i, token := range failed {
		lost[i] = map[string]any{"lockToken": token, "error": map[string]string{
			"code": "TokenLost", "message": "The lock token has expired, or the event was settled already."}}
	}
	return newAnswer(http.StatusOK, map[string]any{"succeededLockTokens": succeeded, "failedLockTokens": lost})
}

// publish adds one event, or a batch, as the content type says.
func (s *Server) publish(r *http.Request) *answer {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	events := []json.RawMessage{body}
	switch {
	case err != nil:
		return failure(http.StatusBadRequest, "BadRequest", "the body cannot be read")
	case len(body) > maxBody:
		return failure(http.StatusRequestEntityTooLarge, "PayloadTooLarge", "The maximum size of a request is 1 MB.")
	case mediaType == "application/cloudevents-batch+json":
		err = json.Unmarshal(body, &events)
	case mediaType != "application/cloudevents+json":
		return failure(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The content type is not supported.")
	}
	for _, event := range events {
		if err == nil {
			err = checkEnvelope(event)
		}
	}
	if err != nil {
		return failure(http.StatusBadRequest, "BadRequest", err.Error())
	}
	s.queue.put(events...)
	return newAnswer(http.StatusOK, map[string]any{})
}

// checkEnvelope returns an error for an event without the attributes that CloudEvents 1.0 requires.
func checkEnvelope(event json.RawMessage) error {
	var attributes map[string]any
	if err := json.Unmarshal(event, &attributes); err != nil {
		return fmt.Errorf("the event is not a JSON object")
	}
	for _, name := range []string{"id", "source", "specversion", "type"} {
		if text, _ := attributes[name].(string); text == "" {
			return fmt.Errorf("`%s` must be non-empty string", name)
		}
	}
	return nil
}
