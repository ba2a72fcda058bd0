// Package watch measures what a fleet costs, and how fast a renewal reaches it: with polling, with the version watch, and beside
// them two other ways to get certificates to nodes. The agents are real (test/agents), and so are API server and controller, as
// processes of their own. All is on one machine, so times say how it grows rather than how fast it is.
//
// Time is compressed: the nodes' polling interval stands for an hour, and the version watch's interval of 5 s for a minute. So
// the requests of an hour with polling are those of one interval, and with the version watch 60 for each that it has. What does
// not depend on an interval is not compressed.
package watch
