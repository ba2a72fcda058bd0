package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// stuck are programs with a service that was stopped for its restart and does not start.
type stuck struct {
	usedby.Programs
	attempts int
	err      error
}

// Resume implements usedby.Programs.
func (s *stuck) Resume(context.Context) error {
	s.attempts++
	return s.err
}

func TestAServiceThatDoesNotStartIsStartedLessAndLessOften(t *testing.T) {
	now, programs := noon, &stuck{err: errors.New("it ended while it started")}
	e := &Engine{Programs: programs, Now: func() time.Time { return now }}
	for range 24 * 60 {
		if err := e.resumePrograms(t.Context()); !errors.Is(err, programs.err) {
			t.Fatalf("a check says %v", err)
		}
		now = now.Add(time.Minute)
	}
	if programs.attempts < 24*6 || programs.attempts > 24*6+5 {
		t.Errorf("it was started %d times in a day, want once in 10 minutes", programs.attempts)
	}
	programs.err, now = nil, now.Add(resumeInterval)
	for range 2 {
		before := programs.attempts
		if err := e.resumePrograms(t.Context()); err != nil || programs.attempts != before+1 {
			t.Errorf("after it has started: %d more attempts, %v", programs.attempts-before, err)
		}
	}
}
