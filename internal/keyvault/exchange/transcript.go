package exchange

import (
	"context"
	"sync"
	"time"
)

// Transcript records what happened on the wire during one read of a secret, or one token request. The SDK reduces the cause of a
// failed token request, and of a response that it cannot parse, to text. The transcript keeps the cause, so that it can be
// classified by its type.
type Transcript struct {
	// Began is when the transcript was started.
	Began time.Time

	mu     sync.Mutex
	host   string
	status int // of the last response; 0 if there was none
	err    error
}

type transcriptKey struct{}

// WithTranscript returns a context with a new transcript. Transport records in it.
func WithTranscript(ctx context.Context) (context.Context, *Transcript) {
	t := &Transcript{Began: time.Now()}
	return context.WithValue(ctx, transcriptKey{}, t), t
}

// TranscriptOf returns the transcript of a context, or starts one.
func TranscriptOf(ctx context.Context) (context.Context, *Transcript) {
	if t, ok := ctx.Value(transcriptKey{}).(*Transcript); ok {
		return ctx, t
	}
	return WithTranscript(ctx)
}

func recordFailure(ctx context.Context, host string, err error) {
	if t, ok := ctx.Value(transcriptKey{}).(*Transcript); ok {
		t.record(host, 0, err)
	}
}

func recordResponse(ctx context.Context, host string, status int) {
	if t, ok := ctx.Value(transcriptKey{}).(*Transcript); ok {
		t.record(host, status, nil)
	}
}

func (t *Transcript) record(host string, status int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host, t.status, t.err = host, status, err
}

// Last returns the host of the last request, and the status of its response, 0 if there was none.
func (t *Transcript) Last() (host string, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.host, t.status
}

// failure returns what caused an error of the SDK: an exchange that failed, or a success of the vault that the SDK cannot parse.
// It returns nil if neither is the cause.
func (t *Transcript) failure(vault string) *BrokenError {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.err != nil:
		return &BrokenError{Host: t.host, Cause: t.err}
	case t.host == vault && t.status/100 == 2:
		return &BrokenError{Host: vault, Cause: errNotJSON}
	}
	return nil
}
