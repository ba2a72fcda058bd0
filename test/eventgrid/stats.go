package eventgrid

import "maps"

// Stats are the server's counters since its start.
type Stats struct {
	// Requests are the requests by operation, and ByCode by HTTP status, including those whose response was dropped.
	Requests map[string]int
	ByCode   map[int]int
	// Delivered are the deliveries of events; an event that is delivered again counts again.
	Delivered int
	// Acknowledged are the events that were acknowledged.
	Acknowledged int
	// Dropped are the events that were rejected, or delivered too often without an acknowledgement.
	Dropped int
	// Pending are the events that are neither acknowledged nor dropped.
	Pending int
}

func newStats() Stats { return Stats{Requests: map[string]int{}, ByCode: map[int]int{}} }

// Stats returns a copy of the counters. A request is counted before its response is sent.
func (s *Server) Stats() Stats {
	pending, dropped := s.queue.counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	result := s.stats
	result.Requests, result.ByCode = maps.Clone(s.stats.Requests), maps.Clone(s.stats.ByCode)
	result.Pending, result.Dropped = pending, dropped
	return result
}

func (s *Server) count(operation string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Requests[operation]++
	s.stats.ByCode[status]++
}

func (s *Server) countDelivered(events int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Delivered += events
}

func (s *Server) countAcknowledged(events int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Acknowledged += events
}
