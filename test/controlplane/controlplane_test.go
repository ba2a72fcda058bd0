package controlplane

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func TestControlPlane(t *testing.T) {
	c := ForTest(t)
	t.Run("the API server comes back as the same one", func(t *testing.T) { testRestart(t, c) })
	t.Run("a user without rights is refused by name", func(t *testing.T) { testForbidden(t, c) })
	t.Run("a requested token authenticates its service account", func(t *testing.T) { testToken(t, c) })
	t.Run("a token bound to a pod names its node", func(t *testing.T) { testBoundToken(t, c) })
	t.Run("kubectl uses the administrator's kubeconfig", func(t *testing.T) { testKubectl(t, c) })
	t.Run("a user's kubeconfig holds that user", func(t *testing.T) { testUserKubeconfig(t, c) })
	t.Run("installed CRDs are served", func(t *testing.T) { testCRDs(t, c) })
}

func testRestart(t *testing.T, c *ControlPlane) {
	client := clientFor(t, c.Config())
	user, err := c.UserConfig("alice", "system:masters")
	if err != nil {
		t.Fatal(err)
	}
	alice := clientFor(t, user)
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}, Data: map[string]string{"a": "b"}}
	made, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), kept, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("making a ConfigMap: %v", err)
	}
	before := c.apiServer.cmd.Process.Pid
	if err := c.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := client.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{}); err == nil {
		t.Fatal("the API server was stopped and still responds")
	}
	if err := c.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	if after := c.apiServer.cmd.Process.Pid; after == before {
		t.Fatalf("the process is still %d", before)
	}
	for name, client := range map[string]*kubernetes.Clientset{"admin": client, "alice": alice} {
		again, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{})
		if err != nil {
			t.Fatalf("the client of %s from before the stop: %v", name, err)
		}
		if again.UID != made.UID {
			t.Errorf("the ConfigMap's UID is %s, want %s", again.UID, made.UID)
		}
	}
}

func testForbidden(t *testing.T, c *ControlPlane) {
	config, err := c.UserConfig("system:serviceaccount:vaultpane:unprivileged", "system:serviceaccounts")
	if err != nil {
		t.Fatal(err)
	}
	_, err = clientFor(t, config).CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:vaultpane:unprivileged") {
		t.Errorf("listing secrets: got %v, want 403 for the service account", err)
	}
}

func testToken(t *testing.T, c *ControlPlane) {
	admin := clientFor(t, c.Config())
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "agent"}}
	accounts := admin.CoreV1().ServiceAccounts("default")
	if _, err := accounts.Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	answer, err := accounts.CreateToken(t.Context(), "agent", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("requesting a token: %v", err)
	}
	config := rest.AnonymousClientConfig(c.Config())
	config.BearerToken = answer.Status.Token
	user := whoAmI(t, config)
	if user.Username != "system:serviceaccount:default:agent" {
		t.Errorf("the token is of %q, want system:serviceaccount:default:agent", user.Username)
	}
}

func testBoundToken(t *testing.T, c *ControlPlane) {
	admin := clientFor(t, c.Config())
	node, err := admin.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "akswin000000"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "bound"}}
	if _, err := admin.CoreV1().ServiceAccounts("default").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for node, uid := range map[string]string{node.Name: string(node.UID), "not-there": "", "": ""} {
		config, err := c.ServiceAccountConfig(t.Context(), "default", "bound", node)
		if err != nil {
			t.Fatal(err)
		}
		user := whoAmI(t, config)
		if name := strings.Join(user.Extra["authentication.kubernetes.io/node-name"], ","); name != node {
			t.Errorf("the token names node %q, want %q", name, node)
		}
		if got := strings.Join(user.Extra["authentication.kubernetes.io/node-uid"], ","); got != uid {
			t.Errorf("the token for node %q names the UID %q, want %q", node, got, uid)
		}
	}
}

func testKubectl(t *testing.T, c *ControlPlane) {
	out, err := c.Kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}").CombinedOutput()
	if err != nil || string(out) != "admin" {
		t.Errorf("kubectl auth whoami: %q, %v; want admin", out, err)
	}
}

func testUserKubeconfig(t *testing.T, c *ControlPlane) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.WriteUserKubeconfig(path, "bob", "viewers"); err != nil {
		t.Fatal(err)
	}
	cmd := c.Kubectl("--kubeconfig", path, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "bob" {
		t.Errorf("kubectl auth whoami: %q, %v; want bob", out, err)
	}
	config, err := c.UserConfig("bob", "viewers")
	if err != nil {
		t.Fatal(err)
	}
	if groups := whoAmI(t, config).Groups; !slices.Contains(groups, "viewers") {
		t.Errorf("bob's groups are %v, want viewers among them", groups)
	}
}

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.vaultpane.dev}
spec:
  group: test.vaultpane.dev
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
`

func testCRDs(t *testing.T, c *ControlPlane) {
	dir := t.TempDir()
	if err := c.InstallCRDs(t.Context(), dir); err == nil {
		t.Error("a folder without CRDs is installed without an error")
	}
	if err := os.WriteFile(filepath.Join(dir, "widgets.yaml"), []byte(widgets), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time updates
		if err := c.InstallCRDs(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := c.Kubectl("get", "widgets", "-o", "name").CombinedOutput(); err != nil {
		t.Errorf("kubectl get widgets: %s: %v", out, err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "controlplane")
	c, err := Start(t.Context(), Options{Dir: dir, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	etcd, apiServer := c.etcd, c.apiServer
	for range 2 {
		if err := c.Stop(); err != nil {
			t.Fatalf("stopping: %v", err)
		}
	}
	for _, p := range []*process{etcd, apiServer} {
		select {
		case <-p.exited:
		default:
			t.Errorf("%s still runs", p.name)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Wait(ctx); err != nil {
		t.Errorf("a stop is reported as a failure: %v", err)
	}
}

func TestAServerThatFailsSaysWhy(t *testing.T) {
	existing := t.TempDir()
	if _, err := Start(t.Context(), Options{Dir: existing}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing folder: got %v, want it refused", err)
	}
	if _, err := os.Stat(existing); err != nil {
		t.Errorf("the folder that was there before: %v", err)
	}
	c, err := Start(t.Context(), Options{APIServerArgs: []string{"--no-such-flag"}})
	if err == nil {
		_ = c.Stop()
	}
	if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("got %v, want the API server's own words", err)
	}
}

func clientFor(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func whoAmI(t *testing.T, config *rest.Config) authenticationv1.UserInfo {
	t.Helper()
	review, err := clientFor(t, config).AuthenticationV1().SelfSubjectReviews().
		Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("asking who I am: %v", err)
	}
	return review.Status.UserInfo
}
