package linuxnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
)

const (
	// Address is the node's.
	Address = "10.0.1.1"
	// podNetwork is that of pods without hostNetwork. They and the node reach each other; there is nothing beyond.
	podNetwork = "10.0.2.0/24"
)

// Network sets up the network namespace of this process for one node: loopback, the node's address, and the address of the Service
// kubernetes. It must be a new, empty one.
func Network(ctx context.Context, serviceAddress string) error {
	// addresses of a network that others use are not changed
	if addresses, err := net.InterfaceAddrs(); err != nil || len(addresses) > 0 {
		return errors.Join(fmt.Errorf("the network namespace of this process is not a new one: it has %v", addresses), err)
	}
	for _, arguments := range [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", Address + "/32", "dev", "lo"},
		{"address", "add", serviceAddress + "/32", "dev", "lo"},
	} {
		if output, err := exec.CommandContext(ctx, "ip", arguments...).CombinedOutput(); err != nil {
			return fmt.Errorf("setting up the network: ip %v: %w: %s", arguments, err, output)
		}
	}
	return nil
}

// ServeAPIServer passes connections to port 443 of the Service kubernetes on to the API server, in the place of kube-proxy, until
// ctx ends.
func ServeAPIServer(ctx context.Context, serviceAddress, apiServer string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(serviceAddress, "443"))
	if err != nil {
		return fmt.Errorf("listening for the Service kubernetes: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // ctx has ended
			}
			go forward(ctx, client, apiServer)
		}
	}()
	return nil
}

// forward copies in both directions until either side closes.
func forward(ctx context.Context, client net.Conn, address string) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return // the client sees a closed connection, and tries again
	}
	defer func() { _ = server.Close() }()
	done := make(chan struct{}, 2)
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		go func() {
			_, _ = io.Copy(to, from) // its end is all that counts
			done <- struct{}{}
		}()
	}
	<-done
}

// networkSettings join pods to a bridge, as the reference plugins do it.
func networkSettings() string {
	return fmt.Sprintf(`{"cniVersion": "0.4.0", "name": "pods", "plugins": [{
  "type": "bridge", "bridge": "pods0", "isGateway": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}
}]}`, podNetwork)
}
