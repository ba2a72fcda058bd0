// The race detector keeps a shadow of all memory.

//go:build linux && !race

package bundle

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

const memoryEnv = "VAULTPANE_TEST_MEMORY"

// TestMain is also the process whose memory TestNothingHoldsTheKeyAfterWipe searches, and which must not hold the key otherwise.
func TestMain(m *testing.M) {
	if contentType := os.Getenv(memoryEnv); contentType != "" {
		parseAndWait(contentType)
		return
	}
	os.Exit(m.Run())
}

// parseAndWait parses standard input, and pauses where the parent searches its memory: with the key, after Wipe, after a
// collection.
func parseAndWait(contentType string) {
	value := make([]byte, MaxSize)
	var size int
	if _, err := fmt.Fscanf(os.Stdin, "%d\n", &size); err != nil {
		panic(err)
	}
	if _, err := io.ReadFull(os.Stdin, value[:size]); err != nil {
		panic(err)
	}
	b, err := Parse(contentType, value[:size], moment)
	if err != nil {
		panic(err)
	}
	key := b.Key
	pause := func() {
		fmt.Println()
		if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
			panic(err)
		}
	}
	pause()
	b.Wipe()
	pause()
	runtime.GC()
	runtime.GC()
	pause()
	runtime.KeepAlive(key)
	runtime.KeepAlive(b)
}

// copies are how many copies of parts of the key a process has at the three points.
type copies struct{ parsed, wiped, collected int }

func TestNothingHoldsTheKeyAfterWipe(t *testing.T) {
	rsaLeaf := issue(t, "leaf", newRSA(2048), nil, nil)
	ecLeaf := issue(t, "leaf", newEC(), nil, nil)
	for name, test := range map[string]struct {
		contentType string
		leaf        *pair
		value       []byte
		ours        int // pieces that are Vaultpane's own; crypto/rsa and crypto/ecdsa leave others, see docs/security.md
		most        int // pieces that may be left: how many crypto/rsa leaves varies by a few
	}{
		"RSA in a PFX": {ContentTypePFX, rsaLeaf, pfxText(t, pkcs12.Modern, rsaLeaf.key, rsaLeaf), 6, 36},
		"RSA in PEM":   {ContentTypePEM, rsaLeaf, join(keyPEM(rsaLeaf.key), certPEM(rsaLeaf)), 6, 36},
		"EC in a PFX":  {ContentTypePFX, ecLeaf, pfxText(t, pkcs12.LegacyDES, ecLeaf.key, ecLeaf), 1, 1},
		"EC in PEM":    {ContentTypePEM, ecLeaf, join(keyPEM(ecLeaf.key), certPEM(ecLeaf)), 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			plain := look(t, test.contentType, test.value, test.leaf.key, "clobberfree=0")
			t.Logf("copies with the key %d, after Wipe %d, after a collection %d", plain.parsed, plain.wiped, plain.collected)
			if plain.wiped > test.most || plain.parsed-plain.wiped < test.ours {
				t.Errorf("%d of %d copies are left after Wipe, want at most %d, and at least %d overwritten", plain.wiped, plain.parsed, test.most, test.ours)
			}
			// With this setting the collector overwrites what it frees, so remaining copies are still referenced.
			held := look(t, test.contentType, test.value, test.leaf.key, "clobberfree=1")
			if held.parsed == 0 {
				t.Error("no copy was found while the key was there: this test proves nothing")
			}
			if held.collected != 0 {
				t.Errorf("%d copies are held after Wipe and a collection", held.collected)
			}
		})
	}
}

func look(t *testing.T, contentType string, value []byte, key any, debug string) (found copies) {
	t.Helper()
	child := exec.CommandContext(t.Context(), must(os.Executable()))
	child.Env = append(os.Environ(), memoryEnv+"="+contentType, "GODEBUG="+debug)
	child.Stderr = os.Stderr
	in, out := must(child.StdinPipe()), bufio.NewReader(must(child.StdoutPipe()))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }()
	defer func() { _ = in.Close() }()
	must(fmt.Fprintf(in, "%d\n%s", len(value), value))
	for _, count := range []*int{&found.parsed, &found.wiped, &found.collected} {
		must(out.ReadString('\n'))
		*count = copiesIn(t, child.Process.Pid, patterns(t, key, value))
		must(in.Write([]byte{'\n'}))
	}
	return found
}

// patterns are pieces of the key's numbers in both orders of bytes, and pieces of base64 of them.
func patterns(t *testing.T, key any, value []byte) map[string][]byte {
	t.Helper()
	numbers := map[string][]byte{}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		p := k.Precomputed
		numbers = map[string][]byte{"d": k.D.Bytes(), "p": k.Primes[0].Bytes(), "q": k.Primes[1].Bytes(), "dp": p.Dp.Bytes(), "dq": p.Dq.Bytes(), "qinv": p.Qinv.Bytes()}
	case *ecdsa.PrivateKey:
		numbers["d"] = must(k.Bytes())
	}
	found := map[string][]byte{}
	for name, number := range numbers {
		number = number[:min(len(number), 64)]
		little := bytes.Clone(number)
		slices.Reverse(little)
		found[name+" big-endian"], found[name+" little-endian"] = number[8:min(len(number), 32)], little[len(little)-min(len(number), 32):len(little)-8]
	}
	der := must(x509.MarshalPKCS8PrivateKey(key))
	for shift := range 3 { // of the text of PEM
		encoded := base64.StdEncoding.EncodeToString(der[60+shift:])
		found["base64 "+fmt.Sprint(shift)] = []byte(encoded[4:36])
	}
	if value[0] != '-' {
		found["base64 of the PFX"] = value[200:232]
	}
	return found
}

// copiesIn counts patterns in the writable memory of a process.
func copiesIn(t *testing.T, pid int, patterns map[string][]byte) int {
	t.Helper()
	memory := must(os.Open(fmt.Sprintf("/proc/%d/mem", pid)))
	defer func() { _ = memory.Close() }()
	counts := map[string]int{}
	for line := range strings.Lines(string(must(os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))))) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") || to-from > 1<<30 {
			continue
		}
		content := make([]byte, to-from)
		n, _ := memory.ReadAt(content, from)
		for name, pattern := range patterns {
			counts[name] += bytes.Count(content[:n], pattern)
		}
	}
	sum := 0
	for _, count := range counts {
		sum += count
	}
	t.Log(counts)
	return sum
}
