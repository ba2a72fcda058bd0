package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// observer looks at the store's files without any code of the agent's.
type observer struct {
	folder string
	done   chan struct{}
	cancel context.CancelFunc

	mu      sync.Mutex
	had     map[string]bool // names that have had a valid certificate
	missing map[string]bool // and had none at the last look
	halves  map[string]bool // what was half written at the last look
	found   findings
	writing chan struct{} // signalled when a write is seen under way
}

// findings are what the observer saw.
type findings struct {
	looks   int
	keyless []string // certificates without their key
	invalid []string // names without a valid certificate
}

func (f findings) count() int { return len(f.keyless) + len(f.invalid) }

func (f findings) print() {
	fmt.Printf("faults: %d looks, %d times a certificate without its key, %d times a name without a valid certificate\n", f.looks, len(f.keyless), len(f.invalid))
	const most = 5
	for _, one := range append(f.keyless[:min(most, len(f.keyless))], f.invalid[:min(most, len(f.invalid))]...) {
		fmt.Println("faults:   " + one)
	}
}

func newObserver(root string) *observer {
	return &observer{
		folder: filepath.Join(root, "LocalMachine"), done: make(chan struct{}), writing: make(chan struct{}, 1),
		had: map[string]bool{}, missing: map[string]bool{},
	}
}

func (o *observer) start(ctx context.Context) {
	ctx, o.cancel = context.WithCancel(ctx)
	go func() {
		defer close(o.done)
		for ctx.Err() == nil {
			o.look()
			<-time.After(2 * time.Millisecond)
		}
	}()
}

// end stops looking and returns what was found.
func (o *observer) end() findings {
	o.cancel()
	<-o.done
	return o.found
}

// awaitWrite returns when a write is seen under way, or after a time; it reports which.
func (o *observer) awaitWrite(ctx context.Context, limit time.Duration) bool {
	select {
	case <-o.writing: // of before
	default:
	}
	select {
	case <-o.writing:
		return true
	case <-time.After(limit):
	case <-ctx.Done():
	}
	return false
}

// look reads all stores once.
func (o *observer) look() {
	files, _ := filepath.Glob(filepath.Join(o.folder, "*", "*"))
	valid := map[string]bool{}
	halves := map[string]bool{}
	for _, file := range files {
		thumbprint, suffix, _ := strings.Cut(filepath.Base(file), ".")
		base := filepath.Join(filepath.Dir(file), thumbprint)
		switch suffix {
		case "pem.unfinished":
			halves[stamped(file)] = true
		case "key":
			if !exists(base + ".pem") {
				halves[stamped(file)] = true
			}
		case "pem":
			if name := o.certificate(file, base+".key"); name != "" {
				valid[name] = true
			}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.found.looks++
	for name := range valid {
		o.had[name] = true
	}
	for name := range o.had {
		// A certificate may move between the reading of two stores: twice in a row it cannot.
		if !valid[name] && o.missing[name] {
			o.found.invalid = append(o.found.invalid, fmt.Sprintf("%s at %s", name, time.Now().Format(time.StampMilli)))
		}
		o.missing[name] = !valid[name]
	}
	for half := range halves {
		if o.halves[half] {
			continue // left over from a kill before
		}
		select {
		case o.writing <- struct{}{}:
		default:
		}
	}
	o.halves = halves
}

// stamped distinguishes a file from another that replaces it later.
func stamped(file string) string {
	info, err := os.Stat(file)
	if err != nil {
		return file
	}
	return file + info.ModTime().String()
}

// certificate returns the name of a served certificate that is valid and has its key, and records one without it.
func (o *observer) certificate(file, key string) string {
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte("role=leaf")) {
		return ""
	}
	_, rest, _ := strings.Cut(string(text), " name=")
	name, _, _ := strings.Cut(rest, " ")
	if !exists(key) && exists(file) {
		o.mu.Lock()
		o.found.keyless = append(o.found.keyless, fmt.Sprintf("%s of %s at %s", filepath.Base(file), name, time.Now().Format(time.StampMilli)))
		o.mu.Unlock()
		return ""
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return ""
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if now := time.Now(); err != nil || now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
		return ""
	}
	return name
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
