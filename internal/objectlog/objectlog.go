// Package objectlog names in a reconciler's log lines the object that they are about.
package objectlog

import (
	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// For returns a controller's log constructor, which names the object once, under its kind. Vaultpane's kinds and Node have no
// namespace; controller-runtime's own constructor would log an empty one, and the name twice.
func For(log logr.Logger, kind string) func(*reconcile.Request) logr.Logger {
	return func(request *reconcile.Request) logr.Logger {
		if request == nil {
			return log // at the controller's start and end
		}
		return log.WithValues(kind, request.Name)
	}
}
