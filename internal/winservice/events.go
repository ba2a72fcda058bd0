package winservice

import "strings"

// The ids of events in the Application log. Alerts are written for them: an id keeps its meaning. They are at most 1000,
// because EventCreate.exe, which has the text of the events, has no more.
const (
	// EventStarted says that the agent runs.
	EventStarted uint32 = 1
	// EventStopped says that the agent ended, as it was asked to.
	EventStopped uint32 = 2
	// EventFailed says that the agent ended with an error.
	EventFailed uint32 = 3
	// EventCertificate warns about one certificate: it cannot be fetched or installed.
	EventCertificate uint32 = 10
	// EventSettings says that settings were refused and which are in force.
	EventSettings uint32 = 11
)

type kind uint16

const (
	info kind = iota
	warning
	failure
)

// Log writes events. What cannot be written is dropped: the agent's work does not depend on it, and its own log has the same
// lines.
type Log struct {
	write func(kind kind, id uint32, text string) // nil without an event log
	close func()
}

// Info writes an event that is no problem.
func (l *Log) Info(id uint32, text string) { l.report(info, id, text) }

// Warning writes an event about a problem that the agent goes on with.
func (l *Log) Warning(id uint32, text string) { l.report(warning, id, text) }

// Error writes an event about a problem that needs an operator.
func (l *Log) Error(id uint32, text string) { l.report(failure, id, text) }

// Close frees the log. What is written later is dropped.
func (l *Log) Close() {
	if l.close != nil {
		l.close()
	}
	*l = Log{}
}

// longest is the limit of an event's text in UTF-16 code units
// (https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-reporteventw). A byte is at least as much as a unit.
const longest = 31839

func (l *Log) report(kind kind, id uint32, text string) {
	if l.write == nil {
		return
	}
	text = strings.ReplaceAll(text, "\x00", " ") // it would end the text
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "")
	}
	l.write(kind, id, text)
}
