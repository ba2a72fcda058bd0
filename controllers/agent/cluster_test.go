package agent_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/suite"
)

// parallel is how many of these tests run at once. They share an API server and a vault, and spend most of the time waiting.
const parallel = "8"

// cluster is what the tests of this package share: a real API server with the CRDs, the agent's rights and its policy,
// and a Key Vault over TLS. Each test has a node of its own, and its ObservedCertificates select that node only.
type cluster struct {
	plane *controlplane.ControlPlane
	kube  client.Client // the administrator's
	vault *vaulttest.Vault
	caPEM []byte
}

var scheme = suite.Scheme()

// sharedCluster starts with the first test that asks for it: the table tests of this package need none.
var sharedCluster = sync.OnceValues(startCluster)

// sharedLog holds what is not logged through an agent's own logger.
var sharedLog = &logBuffer{}

// TestMain runs the tests with both fronts of the engine.
func TestMain(m *testing.M) {
	os.Exit(suite.Run(m, sharedLog.logger(), parallel, func() {}, func() {
		fmt.Println("again, with settings files instead of a cluster:")
		withFiles = true
	}))
}

// sharedVault starts with the first test that asks for it, with or without a cluster.
var sharedVault = sync.OnceValues(startVault)

func startVault() (*cluster, error) {
	c := &cluster{}
	vaults, err := vaulttest.Start(vaulttest.Options{Vaults: []string{"shop"}})
	if err != nil {
		return nil, err
	}
	suite.AtEnd(vaults.Close)
	c.vault, c.caPEM = vaults.Vault("shop"), vaults.CAPEM()
	return c, useIdentity(vaults.Env())
}

func startCluster() (*cluster, error) {
	c, err := sharedVault()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if c.plane, err = suite.Plane(ctx); err != nil {
		return nil, err
	}
	return c, c.prepare(ctx)
}

// prepare installs what an administrator installs, from the same files.
func (c *cluster) prepare(ctx context.Context) error {
	if err := install.Everything(ctx, c.plane, filepath.Join("..", "..")); err != nil {
		return err
	}
	var err error
	c.kube, err = client.New(c.plane.Config(), client.Options{Scheme: scheme})
	return err
}

// useIdentity sets azidentity's variables, and unsets those of another identity or a proxy.
func useIdentity(variables []string) error {
	for _, name := range []string{
		"AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "AZURE_TOKEN_CREDENTIALS",
		"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy",
	} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
