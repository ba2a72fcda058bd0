package winservice

import "golang.org/x/sys/windows/svc/eventlog"

// EventLog returns the log of events of a service in the Application log. Install registers the service as their source.
// Without an event log, as under another account that may not write there, events are dropped.
func EventLog(name string) *Log {
	log, err := eventlog.Open(name)
	if err != nil {
		return &Log{}
	}
	return &Log{
		write: func(kind kind, id uint32, text string) {
			switch kind {
			case info:
				_ = log.Info(id, text)
			case warning:
				_ = log.Warning(id, text)
			case failure:
				_ = log.Error(id, text)
			}
		},
		close: func() { _ = log.Close() },
	}
}
