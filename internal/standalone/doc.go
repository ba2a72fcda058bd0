// Package standalone runs the engine on one machine without a cluster. ObservedCertificates come from settings files instead of the
// API server, and the machine's NodeCertificateState goes to a file.
//
// The data's path: files.go reads the files and keeps the last good content of each, combine.go makes one set of them, source.go
// makes objects and finds what changed, agent.go processes what is due, state.go writes the state. requests.go has the polls that a
// person asks for.
package standalone
