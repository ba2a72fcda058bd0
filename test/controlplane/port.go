package controlplane

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below those that Linux (32768 to 60999), Windows and macOS (49152 and up) give to outgoing
// connections and to listeners on port 0: the API server's must still be free when it comes back after a stop.
const firstPort, lastPort = 20000, 32767

// freePort returns a loopback port that nobody listens on. At random, so that two test processes hardly meet.
func freePort() (int, error) {
	var last error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		listener, err := net.Listen("tcp", loopback(port))
		if err == nil {
			return port, listener.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("finding a free port from %d to %d: %w", firstPort, lastPort, last)
}

// twoPorts are for etcd and the API server.
func twoPorts() (etcd, apiServer int, err error) {
	etcd, err = freePort()
	apiServer, err2 := freePort()
	if err = errors.Join(err, err2); err == nil && etcd == apiServer {
		return twoPorts()
	}
	return etcd, apiServer, err
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
