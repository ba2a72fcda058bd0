package rollup

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
	constructor := logFor(log, "rollup-certificates", "ObservedCertificate")
	constructor(&reconcile.Request{NamespacedName: types.NamespacedName{Name: "n"}}).Info("Looked")
	if want := `"level"=0 "msg"="Looked" "controller"="rollup-certificates" "ObservedCertificate"="n"`; line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
	constructor(nil).Info("Starting")
	if want := `"level"=0 "msg"="Starting" "controller"="rollup-certificates"`; line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
}
