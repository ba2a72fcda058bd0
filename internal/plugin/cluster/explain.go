package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Explain says what an error of a request means and what to do about it: no CRDs, no rights, no credentials, no connection. verb
// and kind are what was requested. Other errors, and that of a named object that does not exist, are returned with the request.
func Explain(err error, verb string, kind schema.GroupVersionResource) error {
	var unreachable *url.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case IsMissing(err) && kind.Group == v1alpha1.GroupVersion.Group:
		return fmt.Errorf("this cluster has no %s: Vaultpane is not installed in it, or is of another version; check the context (--context), and install Vaultpane's chart", kind.GroupResource())
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you may not %s %s%w%s", verb, kind.GroupResource(), said{err}, remedy(verb, kind))
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the API server does not accept your credentials: log in again, or choose another context with --context: %w", err)
	case errors.As(err, &unreachable):
		return fmt.Errorf("no answer from the API server at %s: %w; check the context (--context) and the network", hostOf(unreachable.URL), unreachable.Err)
	}
	return fmt.Errorf("requesting to %s %s: %w", verb, kind.GroupResource(), err)
}

// said is what the API server says of a refusal, after a colon. Of one of a watch, client-go does not return its words.
type said struct{ error }

func (s said) Error() string {
	if text := s.error.Error(); text != "unknown" {
		return ": " + text
	}
	return ""
}

// Unwrap returns the refusal.
func (s said) Unwrap() error { return s.error }

// IsMissing reports whether the API server does not serve the kind of object that was requested. An object that does not exist is
// another error.
func IsMissing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Code != http.StatusNotFound {
		return false
	}
	details := status.Status().Details
	return details == nil || details.Name == ""
}

// remedy names a role that has a right on Vaultpane's own kinds.
func remedy(verb string, kind schema.GroupVersionResource) string {
	if kind.Group != v1alpha1.GroupVersion.Group {
		return ""
	}
	if verb == "patch" {
		return "; ask for a role with this right on " + kind.GroupResource().String()
	}
	return "; the ClusterRole view has this right, by vaultpane-view"
}

func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return address
	}
	return strings.TrimSuffix(parsed.Scheme+"://"+parsed.Host, "/")
}
