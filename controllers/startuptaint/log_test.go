package startuptaint

import (
	"testing"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// A line names its object once, and no namespace where there is none.
func TestALogLineNamesItsObjectOnce(t *testing.T) {
	line := ""
	log := funcr.New(func(_, text string) { line = text }, funcr.Options{})
	constructor := logFor(log)
	constructor(&reconcile.Request{NamespacedName: types.NamespacedName{Name: "n"}}).Info("Looked")
	if want := `"level"=0 "msg"="Looked" "controller"="startup-taint" "Node"="n"`; line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
	constructor(nil).Info("Starting")
	if want := `"level"=0 "msg"="Starting" "controller"="startup-taint"`; line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
}
