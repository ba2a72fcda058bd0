package eventgrid

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// maxBackoff is the longest wait between two attempts, unless Event Grid asks for more.
const maxBackoff = 5 * time.Minute

// minPause is the shortest time from one receive to the next if no event was removed from the subscription. Event Grid itself waits
// maxWait for an event; without the pause, another behaviour would keep the receiver asking as fast as it can.
const minPause = time.Second

// Receiver receives events and asks for looks. Several may receive from one event subscription: each event reaches one of them,
// and another one if it is not acknowledged before its lock expires. It is a prometheus.Collector.
type Receiver struct {
	options Options
	client  *client
	counted instruments
	backoff func(attempt int, retryAfter time.Duration) time.Duration

	// Of the goroutine of Run.
	limit    int // events of the next receive
	failures int // rounds that failed one after another

	mu      sync.Mutex
	state   State
	told    bool // a round has ended
	running bool
	began   time.Time // of Run
}

// New returns a receiver. It fails for an invalid option and sends no request.
func New(options Options) (*Receiver, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	client, err := newClient(options)
	if err != nil {
		return nil, err
	}
	return &Receiver{
		options: options, client: client, counted: newInstruments(), limit: maxBatch,
		backoff: func(attempt int, retryAfter time.Duration) time.Duration {
			return schedule.Transient(attempt, maxBackoff, retryAfter, rand.Float64())
		},
	}, nil
}

// Run receives events until the context ends, and then returns nil. Failures are logged and counted, and State has the last one;
// none ends it. It runs once at a time.
func (r *Receiver) Run(ctx context.Context) error {
	log := logr.FromContextOrDiscard(ctx).WithValues("endpoint", r.client.endpoint.authority(), "topic", r.options.Topic, "subscription", r.options.Subscription)
	r.setRunning(true)
	defer r.setRunning(false)
	defer r.client.transport.Client.CloseIdleConnections()
	for ctx.Err() == nil {
		wait(ctx, r.round(ctx, log))
	}
	return nil
}

func (r *Receiver) setRunning(running bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.began = running, time.Now()
}

// round receives, asks for looks and acknowledges, in this order: an event of a receiver that dies in between is delivered again.
// It returns the wait before the next round.
func (r *Receiver) round(ctx context.Context, log logr.Logger) time.Duration {
	began := time.Now()
	batch, err := r.client.receive(ctx, r.limit)
	tokens, lost := tokensOf(batch), 0
	if err == nil {
		r.received(time.Now())
		r.ask(log, batch)
		lost, err = r.client.acknowledge(ctx, tokens)
	}
	switch {
	case ctx.Err() != nil:
		return 0
	case err != nil:
		return r.fail(log, err)
	}
	if lost > 0 {
		log.V(1).Info("Events are delivered again, because their locks expired before they were acknowledged", "events", lost)
	}
	r.succeed(log)
	if len(tokens) == lost {
		return minPause - time.Since(began)
	}
	return 0
}

// ask asks for a look at each secret of a batch, once for each secret.
func (r *Receiver) ask(log logr.Logger, batch []delivery) {
	asked := map[secret]verdict{}
	for _, one := range batch {
		about, result := readEvent(one.event)
		if result == looked {
			key := secret{about.authority, strings.ToLower(about.name)}
			if _, known := asked[key]; !known {
				asked[key] = r.look(log, about)
			}
			result = asked[key]
		}
		if result == invalid {
			log.V(1).Info("Ignored an event that cannot be read")
		}
		r.counted.events.WithLabelValues(string(result)).Inc()
	}
}

func (r *Receiver) look(log logr.Logger, about secret) verdict {
	result := ignored
	if r.options.Look(about.authority, about.name) {
		result = looked
	}
	log.V(1).Info("Received an event", "vault", about.authority, "secret", about.name, "result", result)
	return result
}

func tokensOf(batch []delivery) []string {
	var tokens []string
	for _, one := range batch {
		if one.lockToken != "" {
			tokens = append(tokens, one.lockToken)
		}
	}
	return tokens
}

func (r *Receiver) succeed(log logr.Logger) {
	r.counted.receives.WithLabelValues(resultSucceeded).Inc()
	r.failures, r.limit = 0, min(maxBatch, 2*r.limit)
	if r.recovered() {
		log.Info("Receiving events of Key Vault")
	}
}

// fail records a failed round and returns the wait before the next one.
func (r *Receiver) fail(log logr.Logger, err error) time.Duration {
	why := explain(r.client.endpoint, err)
	r.failures++
	if why.reason == Unreachable {
		// A batch may be too large for a response, or for a slow connection. One event, which has at most 1 MB, is not.
		r.limit = max(1, r.limit/10)
	}
	r.counted.receives.WithLabelValues(string(why.reason)).Inc()
	next := r.backoff(r.failures, why.retryAfter)
	if !r.failed(why, time.Now()) {
		log = log.V(1)
	}
	log.Info("Events of Key Vault are not received; versions are listed at the interval only", "reason", why.reason, "message", why.message, "attempt", r.failures, "nextAttempt", exchange.Stamp(time.Now().Add(next)))
	return next
}

// wait waits for a time, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
