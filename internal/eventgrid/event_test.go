package eventgrid

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	gridtest "github.com/vaultpane/vaultpane/test/eventgrid"
)

// large returns an event with a field of a size in bytes.
func large(name string, size int) gridtest.Event {
	return gridtest.Raw(strings.Replace(string(renewal(name)), `"EXP"`, `"padding":"`+strings.Repeat("x", size)+`","EXP"`, 1))
}

const (
	head  = `{"id":"1","source":"/s","specversion":"1.0","type":"Microsoft.KeyVault.SecretNewVersionCreated"`
	valid = `"Id":"https://sample-kv.vault.azure.net/secrets/newsecret/ee05"`
)

func TestReadEvent(t *testing.T) {
	vault := "sample-kv.vault.azure.net"
	tests := []struct {
		name, event string
		want        secret
		verdict     verdict
	}{
		{"Key Vault's own", string(renewal("newsecret")), secret{vault, "newsecret"}, looked},
		{
			"the documentation's example, with its blanks",
			head + `,"subject":"newsecret","time":"2019-07-25T01:08:33.1036736Z","data":{"Id":"https://sample-kv.vault.azure.net/secrets/newsecret/ee059b2bb5bc48398a53b168c6cdcb10","vaultName":"sample-kv","objectType":"Secret","objectName ":"newsecret","version":" ee059b2bb5bc48398a53b168c6cdcb10","nbf":"1559081980","exp":"1559082102"}}`,
			secret{vault, "newsecret"}, looked,
		},
		{
			"a certificate", strings.Replace(head, "SecretNew", "CertificateNew", 1) + `,"data":{"Id":"https://sample-kv.vault.azure.net/certificates/web/ee05","ObjectName":"web","NBF":1559081980}}`,
			secret{vault, "web"}, looked,
		},
		{"a type in another case", strings.ToLower(head) + `,"data":{` + valid + `,"ObjectName":"web"}}`, secret{vault, "web"}, looked},
		{"an expiry", strings.Replace(head, "SecretNewVersionCreated", "SecretExpired", 1) + `,"data":{` + valid + `}}`, secret{vault, "newsecret"}, looked},
		{"a near expiry", strings.Replace(head, "SecretNewVersionCreated", "CertificateNearExpiry", 1) + `,"data":{` + valid + `}}`, secret{vault, "newsecret"}, looked},
		{"a host in upper case with its port", head + `,"data":{"Id":"https://SAMPLE-KV.vault.azure.net:443/secrets/Web/1","ObjectName":"Web"}}`, secret{vault, "Web"}, looked},
		{"another port", head + `,"data":{"Id":"https://localhost:8443/secrets/Web/1"}}`, secret{"localhost:8443", "Web"}, looked},
		{"no URL", head + `,"data":{"VaultName":"Sample-KV","ObjectName":"web"}}`, secret{vault, "web"}, looked},
		{"binary data that is JSON", head + `,"data_base64":"eyJJZCI6Imh0dHBzOi8vYS5iL3NlY3JldHMvd2ViLzEifQ=="}`, secret{"a.b", "web"}, looked},
		{"without the attributes that nobody reads", `{"type":"Microsoft.KeyVault.SecretExpired","time":"yesterday","data":{` + valid + `}}`, secret{vault, "newsecret"}, looked},

		{"a key", strings.Replace(head, "Secret", "Key", 1) + `,"data":{` + valid + `}}`, secret{}, ignored},
		{"a changed access policy", strings.Replace(head, "SecretNewVersionCreated", "VaultAccessPolicyChanged", 1) + `,"data":{}}`, secret{}, ignored},
		{"another service", strings.Replace(head, "KeyVault", "Storage", 1) + `,"data":"hello"}`, secret{}, ignored},

		{"no data", head + `}`, secret{}, invalid},
		{"null", head + `,"data":null}`, secret{}, invalid},
		{"text", head + `,"data":"not JSON <xml/>"}`, secret{}, invalid},
		{"a list", head + `,"data":[1,2,{}]}`, secret{}, invalid},
		{"fields of other types", head + `,"data":{"Id":{"a":1},"VaultName":[],"ObjectName":7}}`, secret{}, invalid},
		{"binary data", head + `,"data_base64":"AAECAw=="}`, secret{}, invalid},
		{"binary data that is not base64", head + `,"data_base64":"%%%"}`, secret{}, invalid},
		{"a type that is no text", `{"id":"1","source":"/s","specversion":"1.0","type":7}`, secret{}, invalid},
		{"no object", `[]`, secret{}, invalid},
		{"a number", `5`, secret{}, invalid},
		{"nothing", ``, secret{}, invalid},
		{"neither a URL nor a vault", head + `,"data":{"ObjectName":"web"}}`, secret{}, invalid},
		{"plain HTTP", head + `,"data":{"Id":"http://sample-kv.vault.azure.net/secrets/web/1"}}`, secret{"sample-kv.vault.azure.net", "web"}, invalid},
		{"a host with a line break", head + `,"data":{"Id":"https://a\nb/secrets/web/1","ObjectName":"web"}}`, secret{"", "web"}, invalid},
		{"a host that is none", head + `,"data":{"Id":"https://a_b/secrets/web/1"}}`, secret{"a_b", "web"}, invalid},
		{"a host that is too long", head + `,"data":{"Id":"https://` + strings.Repeat("a", 300) + `/secrets/web/1"}}`, secret{}, invalid},
		{"a user in the URL", head + `,"data":{"Id":"https://u:p@a.b/secrets/web/1"}}`, secret{"a.b", "web"}, looked},
		{"a name with a path", head + `,"data":{` + valid + `,"ObjectName":"../../keys/x"}}`, secret{vault, "../../keys/x"}, invalid},
		{"a name that is too long", head + `,"data":{` + valid + `,"ObjectName":"` + strings.Repeat("a", 128) + `"}}`, secret{vault, strings.Repeat("a", 128)}, invalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, result := readEvent(json.RawMessage(test.event))
			if result != test.verdict || result == looked && got != test.want {
				t.Errorf("got %v, %s, want %v, %s", got, result, test.want, test.verdict)
			}
		})
	}
}

// Events that cannot be read are acknowledged and counted, and those that arrive with them are seen: some of these make the SDK
// refuse the whole batch.
func TestPoisonedEventsDoNotComeBackAndDoNotHideOthers(t *testing.T) {
	poison := []string{
		head + `}`, head + `,"data":null}`, head + `,"data":"not JSON <xml/>"}`, head + `,"data":[1,2]}`, head + `,"data":{"Id":1,"ObjectName":{}}}`,
		head + `,"data_base64":"AAECAw=="}`, head + `,"data_base64":"%%%"}`, head + `,"data_base64":7}`,
		head + `,"time":"yesterday"}`, head + `,"subject":[]}`, `{"type":7}`, `{}`, `[]`, `5`, `null`, `"` + strings.Repeat("x", 100_000) + `"`,
		head + `,"data":{` + valid + `,"ObjectName":"` + strings.Repeat("y", 100_000) + `"}}`,
		head + `,"data":` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000) + `}`,
	}
	f := newFixture(t, gridtest.Options{})
	f.grid.Publish(renewal("first"))
	for _, text := range poison {
		f.grid.Publish(gridtest.Raw(text))
	}
	f.unused["unused"] = true
	f.grid.Publish(gridtest.Raw(strings.Replace(head, "Secret", "Key", 1)+`,"data":{"private":"marker-7f3a"}}`), renewal("unused"), renewal("last"))
	r := f.start(t)
	stats := f.awaitEmpty(t)
	if stats.Delivered != len(poison)+4 || stats.Acknowledged != len(poison)+4 {
		t.Errorf("got %+v, want each event delivered and acknowledged once", stats)
	}
	names := ""
	for _, about := range f.looked() {
		names += about.name + " "
	}
	if names != "first unused last " {
		t.Errorf("got looks at %s", names)
	}
	for result, want := range map[verdict]float64{looked: 2, ignored: 2, invalid: float64(len(poison))} {
		if got := testutil.ToFloat64(r.counted.events.WithLabelValues(string(result))); got != want {
			t.Errorf("%v events are %s, want %v", got, result, want)
		}
	}
	awaitReason(t, r, "")
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.all {
		if len(line) > 1000 || strings.Contains(line, "marker") || strings.Contains(line, "xml") {
			t.Errorf("the log has an event's content: %.200s", line)
		}
	}
}

func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(renewal("web")))
	f.Add([]byte(head + `,"data_base64":"AAECAw=="}`))
	f.Add([]byte(`{"type":"Microsoft.KeyVault.SecretExpired","data":{" ID ":"https://a:1/x/y"}}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		about, result := readEvent(event)
		if result != looked {
			return
		}
		if about.authority != strings.ToLower(about.authority) || len(about.authority) > 270 || !secretForm.MatchString(about.name) {
			t.Errorf("got %q, %q", about.authority, about.name)
		}
	})
}
