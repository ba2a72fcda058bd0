// Package rollup turns what thousands of nodes report into one status per ObservedCertificate.
//
// The data goes one way: a watch event names a node or a certificate; controller.go takes what the cache has of it into the
// index; index.go keeps, for each certificate, how each node stands with it, and counts those that stand the same;
// summary.go and status.go compute the status from these counts; publisher.go writes it, at the pace that outbox.go and
// budget.go allow; events.go says what happened between two statuses.
package rollup
