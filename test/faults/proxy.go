package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"

	"k8s.io/client-go/tools/clientcmd"
)

// proxy forwards the TCP connections of one agent to the API server, and breaks them.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	open  map[net.Conn]bool
	gates chan struct{} // closed when bytes may pass
}

// newProxy starts a proxy in front of the API server of a kubeconfig, and changes that to lead through it.
func newProxy(kubeconfig string) (*proxy, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return nil, fmt.Errorf("reading the server of %s: %w", kubeconfig, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	p := &proxy{listener: listener, target: server.Host, open: map[net.Conn]bool{}, gates: make(chan struct{})}
	close(p.gates)
	go p.serve()
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	changed := strings.ReplaceAll(string(text), server.Host, listener.Addr().String())
	return p, os.WriteFile(kubeconfig, []byte(changed), 0o600)
}

func (p *proxy) serve() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		to, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.target)
		if err != nil {
			_ = from.Close() // as a refused connection
			continue
		}
		p.mu.Lock()
		p.open[from], p.open[to] = true, true
		p.mu.Unlock()
		go p.copy(from, to)
		go p.copy(to, from)
	}
}

// copy forwards one direction of a connection, and ends both with it.
func (p *proxy) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		count, err := from.Read(buffer)
		<-p.gate()
		if count > 0 {
			if _, failed := to.Write(buffer[:count]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close() // whichever side ended
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, from)
	delete(p.open, to)
}

func (p *proxy) gate() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gates
}

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for one := range p.open {
		_ = one.Close() // the other side sees it
	}
}

// hang lets no byte pass until resume, and closes nothing: as a firewall that has forgotten its connections.
func (p *proxy) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gates = make(chan struct{})
}

// resume undoes hang.
func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gates:
	default:
		close(p.gates)
	}
}
