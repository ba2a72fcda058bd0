package cluster

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	certificates := ObservedCertificates.GroupResource()
	for _, test := range []struct {
		name string
		err  error
		verb string
		kind schema.GroupVersionResource
		want string
	}{
		{
			"no CRDs", apierrors.NewGenericServerResponse(http.StatusNotFound, "GET", schema.GroupResource{}, "", "404 page not found", 0, true), "list", ObservedCertificates,
			"this cluster has no observedcertificates.vaultpane.dev: Vaultpane is not installed in it, or is of another version; check the context (--context), and install Vaultpane's chart",
		},
		{
			"no such object", apierrors.NewNotFound(certificates, "web"), "get", ObservedCertificates,
			`requesting to get observedcertificates.vaultpane.dev: observedcertificates.vaultpane.dev "web" not found`,
		},
		{
			"no right to read", apierrors.NewForbidden(certificates, "", errors.New(`User "bob" cannot list`)), "list", ObservedCertificates,
			`you may not list observedcertificates.vaultpane.dev: observedcertificates.vaultpane.dev is forbidden: User "bob" cannot list; the ClusterRole view has this right, by vaultpane-view`,
		},
		{
			"no right to patch", apierrors.NewForbidden(certificates, "web", errors.New(`User "bob" cannot patch`)), "patch", ObservedCertificates,
			`you may not patch observedcertificates.vaultpane.dev: observedcertificates.vaultpane.dev "web" is forbidden: User "bob" cannot patch; ask for a role with this right on observedcertificates.vaultpane.dev`,
		},
		{
			"no right on a kind of Kubernetes", apierrors.NewForbidden(Nodes.GroupResource(), "", errors.New(`User "bob" cannot list`)), "list", Nodes,
			`you may not list nodes: nodes is forbidden: User "bob" cannot list`,
		},
		{
			"no credentials", apierrors.NewUnauthorized("Unauthorized"), "list", ObservedCertificates,
			"the API server does not accept your credentials: log in again, or choose another context with --context: Unauthorized",
		},
		{
			"no connection", &url.Error{Op: "Get", URL: "https://10.0.0.1:6443/apis/x", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}}, "list", ObservedCertificates,
			"no answer from the API server at https://10.0.0.1:6443: dial tcp: connection refused; check the context (--context) and the network",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Explain(test.err, test.verb, test.kind).Error(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	if err := Explain(nil, "get", Nodes); err != nil {
		t.Errorf("no error is explained: %v", err)
	}
}
