package rollup

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// The entries are most of the controller's memory, and the decoder's spare capacity is a quarter of it.
func TestEntriesAreKeptWithoutSpareCapacity(t *testing.T) {
	var entries []string
	for i := range 100 {
		entries = append(entries, fmt.Sprintf(`{"name":"cert-%03d","generation":1}`, 99-i))
	}
	state := &v1alpha1.NodeCertificateState{}
	if err := json.Unmarshal([]byte(`{"certificates":[`+strings.Join(entries, ",")+`]}`), state); err != nil {
		t.Fatal(err)
	}
	if _, err := slimState(state); err != nil {
		t.Fatal(err)
	}
	kept := state.Certificates
	if len(kept) != 100 || kept[0].Name != "cert-000" || cap(kept) > 110 {
		t.Errorf("%d entries with a capacity of %d, the first is %s", len(kept), cap(kept), kept[0].Name)
	}
}

func TestALongMessageIsTruncatedInTheCache(t *testing.T) {
	state := &v1alpha1.NodeCertificateState{Certificates: []v1alpha1.CertificateEntry{{Name: "web", Message: strings.Repeat("ü", 1<<20)}}}
	if _, err := slimState(state); err != nil {
		t.Fatal(err)
	}
	if kept := state.Certificates[0].Message; len(kept) > maxMessage || !strings.HasSuffix(kept, "ü...") {
		t.Errorf("%d bytes are kept, ending in %q", len(kept), kept[len(kept)-5:])
	}
}
