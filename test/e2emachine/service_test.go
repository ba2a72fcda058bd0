package e2emachine

import (
	"strings"
	"testing"
)

// The service gets its flags from its command line, and azidentity's variables from the machine's environment in the registry, as
// on Windows: the service manager makes a service's environment of that alone, and reads it once, when the machine boots.
func TestTheServiceKeepsTheMachinesCertificates(t *testing.T) {
	if native() {
		t.Skip("services exist on Windows only")
	}
	h := newHost(t)
	first := put(t, "service")
	h.write(t, "a.yaml", simple(t, "service"))
	h.setMachineEnvironment(t)
	h.service(t, 2, "service vaultpane-agent: not installed", "status")
	h.service(t, 0, "was not installed", "uninstall")
	install := append([]string{"install"}, h.serviceFlags()...)
	h.service(t, 0, "installed", install...)
	h.service(t, 0, "was installed already; configuration updated", install...)
	h.service(t, 1, "service vaultpane-agent: stopped", "status")
	h.service(t, 0, "started", "start")
	h.service(t, 0, "was running already", "start")
	h.service(t, 0, "service vaultpane-agent: running (process", "status")
	h.holds(t, "service", first)
	h.status(t, 0, first)
	second := rotate(t, "service")
	h.poll(t, 0)
	h.stillHolds(t, "service", first, second)
	h.service(t, 0, "stopped", "stop")
	h.service(t, 0, "was stopped already", "stop")
	h.service(t, 1, "service vaultpane-agent: stopped", "status")
	h.status(t, 2, second, "no agent runs here")
	h.service(t, 0, "started", "start")
	h.status(t, 0, second)
	h.service(t, 0, "uninstalled", "uninstall")
	h.service(t, 0, "was not installed", "uninstall")
	h.service(t, 2, "service vaultpane-agent: not installed", "status")
	h.status(t, 2, second)
	h.stillHolds(t, "service", first, second) // certificates and state stay
}

// setMachineEnvironment sets azidentity's variables for all services, as setx /M and a restart do.
func (h *host) setMachineEnvironment(t *testing.T) {
	t.Helper()
	for _, variable := range env.vaults.Env() {
		name, value, _ := strings.Cut(variable, "=")
		_, err := h.Registry(t.Context(), "add", `HKLM\System\CurrentControlSet\Control\Session Manager\Environment`, "/v", name, "/d", value, "/f")
		if err != nil {
			t.Fatal(err)
		}
	}
	h.boot(t)
}

// serviceFlags are the settings of the environment as flags: a service does not have the environment of who installs it.
func (h *host) serviceFlags() []string {
	return []string{
		"--settings=" + h.Path(h.settings()), "--state=" + h.Path(h.state()), "--node-name=" + hostName,
		"--ca-bundle=" + h.Path(env.vaults.CAFile()), "--allowed-vault-hosts=localhost", "--disable-challenge-resource-verification",
		"--credential=environment", "--store-check-interval=2s", "--initial-spread=0s", "--host-log-dir=" + h.Path(h.dir),
	}
}

// service runs a command of service with azidentity's variables only, and checks its exit code and what it says.
func (h *host) service(t *testing.T, code int, says string, arguments ...string) {
	t.Helper()
	got := h.toolWith(t, env.vaults.Env(), append([]string{"service"}, arguments...)...)
	if got.code != code || !strings.HasPrefix(got.stdout, says) {
		t.Fatalf("service %s: %+v, want exit code %d and %q", arguments[0], got, code, says)
	}
}
