package standalone

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/atomicfile"
)

// ErrForeignFolder says that another account has made a folder that the agent was to make.
var ErrForeignFolder = errors.New("another account could write to the agent's folder")

// Requests are the polls that a person asks for with `vaultpane-agent poll`: a file for each certificate, which holds the time.
type Requests struct {
	// Dir is the state's folder.
	Dir string
}

const (
	// requestPrefix begins a request's file name, so that no certificate's name is a device's on Windows, as aux or con.
	requestPrefix = "poll-"
	// requestAge is how long a request is kept, so that it is known who has answered it.
	requestAge = time.Hour
)

func (r Requests) folder() string { return filepath.Join(r.Dir, "requests") }

// prepare creates the folder, so that it can be watched from the start.
func (r Requests) prepare() error {
	if err := MakeFolder(r.Dir); err != nil {
		return err
	}
	return MakeFolder(r.folder())
}

// Ask requests a poll of a certificate.
func (r Requests) Ask(name string, now time.Time) error {
	if err := MakeFolder(r.folder()); err != nil {
		return err
	}
	return atomicfile.Replace(filepath.Join(r.folder(), requestPrefix+name), []byte(now.UTC().Format(time.RFC3339)+"\n"), readable)
}

// Read returns the requests by certificate, and deletes those that are older than an hour. What is not a request is ignored.
func (r Requests) Read(now time.Time) map[string]time.Time {
	requests := map[string]time.Time{}
	entries, err := os.ReadDir(r.folder())
	if err != nil {
		return requests // there was none yet
	}
	for _, entry := range entries {
		name, isRequest := strings.CutPrefix(entry.Name(), requestPrefix)
		if !isRequest || strings.HasSuffix(name, atomicfile.UnfinishedSuffix) {
			continue
		}
		path := filepath.Join(r.folder(), entry.Name())
		content, err := atomicfile.Read(path)
		if err != nil {
			continue
		}
		asked, err := time.Parse(time.RFC3339, strings.TrimSpace(string(content)))
		switch {
		case err == nil && now.Sub(asked).Abs() < requestAge:
			requests[name] = asked
		default:
			_ = os.Remove(path) // again at the next look
		}
	}
	return requests
}
