// Package ports finds ports of 127.0.0.1 for tests' servers.
//
// They are taken from below those that Linux (32768 to 60999), Windows and macOS (49152 and up) give to outgoing connections
// and to listeners on port 0: a server that was stopped, or is about to start, finds its port free.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

const first, last = 20000, 32767

// Listen listens on a free port. It is chosen at random, so that two test processes rarely choose the same.
func Listen() (net.Listener, error) {
	var problem error
	for range 100 {
		listener, err := net.Listen("tcp", Address(first+rand.IntN(last-first+1)))
		if err == nil {
			return listener, nil
		}
		problem = err
	}
	return nil, fmt.Errorf("finding a free port from %d to %d: %w", first, last, problem)
}

// Free returns a port that is free at the moment.
func Free() (int, error) {
	listener, err := Listen()
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// Two returns two such ports.
func Two() (one, other int, err error) {
	a, err := Listen()
	if err != nil {
		return 0, 0, err
	}
	other, err = Free() // not the first, which is still taken
	return a.Addr().(*net.TCPAddr).Port, other, errors.Join(err, a.Close())
}

// FreeAddress returns the address of a port that is free at the moment.
func FreeAddress() (string, error) {
	port, err := Free()
	return Address(port), err
}

// Address is a port's address.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
