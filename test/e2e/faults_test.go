package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

func TestKilledInTheMiddleOfASync(t *testing.T) {
	const count, kills = 40, 6
	made, err := env.shop.PutMany("killed", count, keyvault.CertificateOptions{WithChain: true})
	if err != nil {
		t.Fatal(err)
	}
	env.shop.Latency(20 * time.Millisecond) // so that the sync has a middle
	t.Cleanup(env.shop.Heal)
	for i := range count {
		name := fmt.Sprintf("killed-%04d", i)
		env.create(t, name, env.shop.SecretURL(name), nil)
	}
	seed := rand.Uint64()
	t.Logf("the moments of the kills come from seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		until := time.Duration(200+random.IntN(1500)) * time.Millisecond
		kill := time.NewTimer(until)
		<-kill.C
		env.restartAgent(t)
	}
	for i, one := range made {
		env.installed(t, fmt.Sprintf("killed-%04d", i), one.Thumbprint)
	}
	for i, one := range made {
		if i%10 == 0 || env.kind == node.Native {
			env.holds(t, fmt.Sprintf("killed-%04d", i), my, one.Thumbprint)
		}
	}
	env.nothingLeftOver(t)
}

// nothingLeftOver checks that every key in the machine's store belongs to a certificate.
func (w *environment) nothingLeftOver(t *testing.T) {
	t.Helper()
	all, err := w.machine.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	certificates := map[string]bool{}
	for _, one := range all {
		certificates[one.Thumbprint] = true
	}
	keys, err := w.keys(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) == 0 {
		t.Error("there are no keys at all")
	}
	for _, key := range keys {
		if !certificates[key] {
			t.Errorf("the key of %s is left over", key)
		}
	}
}

// keys returns the thumbprints for which the machine holds a private key.
func (w *environment) keys(t *testing.T) ([]string, error) {
	if w.kind == node.Wine {
		defer w.restartAgent(t)
	}
	return w.machine.Keys()
}

func TestTheVaultIsAwayForAWhile(t *testing.T) {
	first := env.put(t, "away", keyvault.CertificateOptions{})
	env.create(t, "away", env.shop.SecretURL("away"), nil)
	env.installed(t, "away", first)
	second := env.rotate(t, "away")
	env.shop.Stop()
	t.Cleanup(func() { _ = env.shop.Start() }) // an error if it has been started already
	env.ask(t, "away")
	env.create(t, "away-new", env.shop.SecretURL("away"), func(spec *v1alpha1.ObservedCertificateSpec) { spec.CertificateStoreName = "AwayNew" })
	entry := env.fails(t, "away-new", v1alpha1.ReasonVaultUnreachable)
	if !strings.Contains(entry.Message, "localhost") {
		t.Errorf("the message does not name the vault: %s", entry.Message)
	}
	env.holds(t, "away", my, first) // what is installed stays
	if err := env.shop.Start(); err != nil {
		t.Fatal(err)
	}
	env.installed(t, "away", second)
	env.installed(t, "away-new", second)
	env.holds(t, "away", my, first, second)
}

func TestTheAPIServerIsAwayForAWhile(t *testing.T) {
	first := env.put(t, "apiserver", keyvault.CertificateOptions{})
	env.create(t, "apiserver", env.shop.SecretURL("apiserver"), func(spec *v1alpha1.ObservedCertificateSpec) { spec.PollingIntervalInS = 30 })
	env.installed(t, "apiserver", first)
	if err := env.cluster.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.cluster.StartAPIServer(); err != nil {
			t.Fatal(err)
		}
	})
	second := env.rotate(t, "apiserver")
	await.That(t, "the agent installs the rotation without the API server", func() (bool, error) {
		held := env.held(t, "apiserver")
		return len(held) == 2, nil
	})
	env.restartAgent(t) // it has to wait for the API server, and stay alive
	alive := func() (bool, error) {
		log, err := os.ReadFile(env.log())
		return env.agent.Running() && strings.Contains(string(log), "for=\"the API server"), err
	}
	await.That(t, "the agent says that it waits", alive)
	if err := env.cluster.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	env.installed(t, "apiserver", second)
	if !env.agent.Running() {
		t.Error("the agent has ended")
	}
}

func TestTheSecondAgentWaitsForTheFirst(t *testing.T) {
	thumbprint := env.put(t, "second", keyvault.CertificateOptions{})
	another, err := env.startAgent()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { env.agent = another }()
	await.That(t, "the second agent says that it waits", func() (bool, error) {
		log, err := os.ReadFile(env.log())
		return another.Running() && strings.Contains(string(log), "another agent uses this machine"), err
	})
	env.agent.Kill()
	env.create(t, "second", env.shop.SecretURL("second"), nil)
	env.installed(t, "second", thumbprint)
	if !another.Running() {
		t.Error("the second agent has ended")
	}
}

// A failing vault receives requests for few certificates, does not delay those of another vault, and loses none when it
// recovers.
func TestAVaultThatIsIllIsAskedSeldomAndAlone(t *testing.T) {
	const certificates = 20
	refused := func() int { return env.shop.Stats().ByCode[http.StatusTooManyRequests] }
	before, ops := refused(), env.vaults.Vault("ops")
	for name, fail := range map[string]func(){
		"throttled": func() { env.shop.Throttle(time.Second, true, -1) },
		"hanging":   func() { env.shop.Latency(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			made, err := env.shop.PutMany(name, certificates, keyvault.CertificateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			other, err := ops.Put(name, keyvault.CertificateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			fail()
			t.Cleanup(env.shop.Heal)
			for i := range made {
				one := fmt.Sprintf("%s-%04d", name, i)
				env.create(t, one, env.shop.SecretURL(one), nil)
			}
			env.create(t, name+"-other", ops.SecretURL(name), nil)
			env.installed(t, name+"-other", other.Thumbprint) // while the other vault fails
			env.shop.Heal()
			for i, one := range made {
				env.installed(t, fmt.Sprintf("%s-%04d", name, i), one.Thumbprint)
			}
		})
	}
	if got := refused() - before; got == 0 || got >= certificates {
		t.Errorf("the vault refused %d requests, want few: one refusal counts for all certificates", got)
	}
}
