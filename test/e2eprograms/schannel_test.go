package e2eprograms

import (
	"path/filepath"
	"strconv"
	"testing"
)

// schannel compiles the program of the folder schannel, and returns its executable.
func schannel(t *testing.T) string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join("schannel", "*.c"))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "schannel.exe")
	command := append([]string{"x86_64-w64-mingw32-gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-o", program}, sources...)
	compile(t, ".", nil, append(command, "-lsecur32", "-lcrypt32", "-lws2_32")...)
	return program
}

const noServer = "its Schannel cannot be a server (AcceptSecurityContext)"

func TestSchannelServesACertificateAndItsRenewal(t *testing.T) {
	needsWine10(t, noServer)
	web, first := served(t, "web")
	m, program := newMachine(t, web), schannel(t)
	m.giveUserKeys(t, first)
	looks, holds := freePort(t), freePort(t)
	m.launch(t, nil, program, "serve", strconv.Itoa(looks), first, "again").says(t, "schannel: serves")
	m.launch(t, nil, program, "serve", strconv.Itoa(holds), first, "once").says(t, "schannel: serves")
	isServed(t, env.authority.knowing, looks, "web", first)
	isServed(t, env.authority.knowing, holds, "web", first)
	second := m.renew(t, "web")
	m.linked(t, first, second)
	m.giveUserKeys(t, first, second)
	isServed(t, env.authority.knowing, looks, "web", second) // found by the link of the first
	isServed(t, env.authority.knowing, holds, "web", first)  // which has not looked, and whose key is still there
}

func TestASchannelClientShowsItsCertificateAndTrustsTheMachinesRoot(t *testing.T) {
	web, first := served(t, "caller")
	m, program := newMachine(t, web, trusted(t)), schannel(t)
	m.keepRoot(t)
	m.giveUserKeys(t, first)
	certificate, _, err := env.issue("server")
	if err != nil {
		t.Fatal(err)
	}
	for kind, listen := range servers {
		m.calls(t, kind, program, listen(t, certificate), first, first)
		if said, code := m.connect(t, program, listen(t, selfSigned(t, "server.example.com")), "server.example.com", first); code != doesNotTrust {
			t.Errorf("%s: the client says %q with exit code %d to a stranger", kind, said, code)
		}
	}
	second := m.renew(t, "caller")
	m.linked(t, first, second)
	m.giveUserKeys(t, first, second)
	for kind, listen := range servers {
		m.calls(t, kind+", after the renewal", program, listen(t, certificate), first, second)
	}
}

// doesNotTrust is the exit code of a client that does not trust the server.
const doesNotTrust = 3

func (m *machine) connect(t *testing.T, program string, port int, serverName, own string) (said string, code int) {
	t.Helper()
	client := m.launch(t, nil, program, "connect", strconv.Itoa(port), serverName, own, env.authority.thumbprint)
	client.says(t, "schannel: looks for the root")
	m.giveRoot(t)
	return client.ends(t)
}

// calls checks that a client that knows one thumbprint trusts a server, to which it shows the certificate that is linked to it; and that
// it does not trust the server under another name.
func (m *machine) calls(t *testing.T, kind, program string, port int, known, shown string) {
	t.Helper()
	said, code := m.connect(t, program, port, "server.example.com", known)
	own, err := certificatesIn(said)
	if code != 0 || err != nil || len(own) != 1 || thumbprintOf(own[0]) != shown {
		t.Errorf("%s: the client ends with exit code %d (%v), and should have shown %s:\n%s", kind, code, err, shown, said)
	}
	if said, code := m.connect(t, program, port, "other.example.com", known); code != doesNotTrust {
		t.Errorf("%s: the client says %q with exit code %d to another name", kind, said, code)
	}
}
