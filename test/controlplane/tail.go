package controlplane

import (
	"io"
	"strings"
	"sync"
)

// tailSize is enough for the few lines in which a server says why it gives up.
const tailSize = 4096

// tail keeps the end of what is written, and passes all of it on.
type tail struct {
	mu   sync.Mutex
	kept []byte
	also io.Writer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = append([]byte(nil), t.kept[extra:]...)
	}
	if t.also != nil {
		_, _ = t.also.Write(p) // a log that cannot be written must not end the server
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
