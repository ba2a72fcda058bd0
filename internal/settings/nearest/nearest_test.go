package nearest

import (
	"strings"
	"testing"
)

func TestTheNameThatWasMeant(t *testing.T) {
	known := []string{"url", "certificateStoreName", "certificateStoreLocation", "accounts", "pollingIntervalInS"}
	for name, want := range map[string]string{
		"URL":                      "url",
		"uri":                      "url",
		"certificate_store_name":   "certificateStoreName",
		"certificateStore":         "certificateStoreName",
		"storeName":                "certificateStoreName",
		"certifcateStoreLocation":  "certificateStoreLocation",
		"account":                  "accounts",
		"pollingIntervalInSeconds": "pollingIntervalInS",
		"frob":                     "",
		"":                         "",
		strings.Repeat("x", 1000):  "",
	} {
		if got := Name(name, known); got != want {
			t.Errorf("%q means %q, want %q", name, got, want)
		}
	}
}

func TestAdviceNamesOneOrAll(t *testing.T) {
	for name, want := range map[string]string{
		"uri":  "; probably url is meant, correct or remove it",
		"frob": "; the known names are accounts, url",
	} {
		if got := Advice(name, []string{"url", "accounts"}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, want := Advice("frob", nil), "; remove it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
