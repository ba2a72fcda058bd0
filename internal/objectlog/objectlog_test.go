package objectlog

import (
	"testing"

	"github.com/go-logr/logr/funcr"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// A line names its object once, and no namespace where there is none.
func TestALogLineNamesItsObjectOnce(t *testing.T) {
	for _, test := range []struct{ controller, kind, object, none string }{
		{
			"rollup-certificates", "ObservedCertificate",
			`"level"=0 "msg"="Looked" "controller"="rollup-certificates" "ObservedCertificate"="n"`,
			`"level"=0 "msg"="Starting" "controller"="rollup-certificates"`,
		},
		{
			"startup-taint", "Node",
			`"level"=0 "msg"="Looked" "controller"="startup-taint" "Node"="n"`,
			`"level"=0 "msg"="Starting" "controller"="startup-taint"`,
		},
	} {
		line := ""
		log := funcr.New(func(_, text string) { line = text }, funcr.Options{})
		constructor := For(log.WithValues("controller", test.controller), test.kind)
		constructor(&reconcile.Request{NamespacedName: types.NamespacedName{Name: "n"}}).Info("Looked")
		if line != test.object {
			t.Errorf("got  %s\nwant %s", line, test.object)
		}
		constructor(nil).Info("Starting")
		if line != test.none {
			t.Errorf("got  %s\nwant %s", line, test.none)
		}
	}
}
