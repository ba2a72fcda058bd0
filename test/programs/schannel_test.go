package programs

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
	m.program(t, "looks", "schannel: serves", nil, program, "serve", strconv.Itoa(looks), first, "again")
	m.program(t, "holds", "schannel: serves", nil, program, "serve", strconv.Itoa(holds), first, "once")
	m.serves(t, looks, "web", first)
	m.serves(t, holds, "web", first)
	second := m.renew(t, "web", first)
	m.giveUserKeys(t, first, second)
	m.serves(t, looks, "web", second) // found by the link of the first
	m.serves(t, holds, "web", first)  // which has not looked, and whose key is still there
}

// serves checks that each kind of client verifies the server's chain and name, and gets an answer with a certificate; and that none
// takes it for another name.
func (m *machine) serves(t *testing.T, port int, name, thumbprint string) {
	t.Helper()
	for kind, connect := range clients {
		answer, shown, err := connect(t, port, name+".example.com", "")
		if want := "served by " + thumbprint + " to nobody"; err != nil || shown != thumbprint || answer != want {
			t.Errorf("%s: the server shows %s and says %q (%v), want %s", kind, shown, answer, err, thumbprint)
		}
		if _, shown, err := connect(t, port, "other.example.com", ""); err == nil {
			t.Errorf("%s takes %s for other.example.com", kind, shown)
		}
	}
}
