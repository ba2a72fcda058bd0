// Package rollup combines what thousands of nodes report into one status per ObservedCertificate.
//
// The data flows one way. A watch event names a node or a certificate, and controller.go copies its current state from the
// cache into the index. index.go keeps the status of each node for each certificate and counts nodes of equal status
// (facts.go, nodestatus.go, certificate.go). summary.go, status.go, conditions.go and failures.go compute the status from these
// counts; publisher.go writes it when the write queue (writequeue) allows; events.go and eventhistory.go derive events from the
// difference between two statuses. metrics.go computes the gauges from the index at each scrape.
package rollup
