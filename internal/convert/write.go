package convert

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Formats of the output.
const (
	// FormatYAML is manifests for kubectl apply.
	FormatYAML = "yaml"
	// FormatHelmValues is values of the chart.
	FormatHelmValues = "helm-values"
	// FormatSettings is settings for the agent without a cluster, in the extension's own form.
	FormatSettings = "settings"
)

// Formats are all formats.
var Formats = []string{FormatYAML, FormatHelmValues, FormatSettings}

// Write returns the certificates in a format, nothing if there are none. Fields that have the CRD's default are left out, except for
// those that the extension's settings always have.
func Write(certificates []Certificate, format string) ([]byte, error) {
	if len(certificates) == 0 {
		return nil, nil
	}
	var documents []*yaml.Node
	switch format {
	case FormatYAML:
		for _, certificate := range certificates {
			documents = append(documents, manifest(certificate))
		}
	case FormatHelmValues:
		documents = append(documents, helmValues(certificates))
	case FormatSettings:
		documents = extensionSettings(certificates)
	default:
		return nil, fmt.Errorf("the format %q is not known; must be one of %s", format, strings.Join(Formats, ", "))
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for _, document := range documents {
		if err := encoder.Encode(document); err != nil {
			return nil, err
		}
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func manifest(certificate Certificate) *yaml.Node {
	object, metadata := newMapping(), newMapping()
	object.set("apiVersion", word(v1alpha1.GroupVersion.String()))
	object.set("kind", word("ObservedCertificate"))
	metadata.set("name", word(certificate.Name))
	object.set("metadata", &metadata.Node)
	object.set("spec", spec(certificate, true))
	if text := where(certificate); text != "" {
		object.Content[0].HeadComment = text
	}
	return &object.Node
}

// where says which machines had a certificate.
func where(certificate Certificate) string {
	var all []string
	for _, machine := range certificate.Machines {
		all = append(all, strings.Join(strings.Fields(machine.Name), " "))
	}
	if len(all) == 0 {
		return ""
	}
	return "The extension had it on " + names(all) + "."
}

// spec writes a spec in the order of the API. In settings of one machine, identity and nodeSelector are elsewhere or have no meaning.
func spec(certificate Certificate, cluster bool) *yaml.Node {
	s, made := certificate.Spec, newMapping()
	made.set("url", word(s.URL))
	made.set("certificateStoreName", word(s.CertificateStoreName))
	made.set("certificateStoreLocation", word(string(s.CertificateStoreLocation)))
	made.set("pollingIntervalInS", literal(s.PollingIntervalInS))
	for _, field := range []struct {
		key string
		is  bool
	}{{"keyExportable", s.KeyExportable}, {"linkOnRenewal", s.LinkOnRenewal}, {"requireInitialSync", s.RequireInitialSync}} {
		if field.is {
			made.set(field.key, literal(true))
		}
	}
	if len(s.Accounts) > 0 {
		list := made.set("accounts", &yaml.Node{Kind: yaml.SequenceNode})
		for _, account := range s.Accounts {
			list.Content = append(list.Content, word(account))
		}
	}
	if id := clientID(s); cluster && id != "" {
		made.set("authentication", &of("msiClientId", word(id)).Node)
	}
	if cluster && s.NodeSelector != nil {
		made.set("nodeSelector", selector(s.NodeSelector))
	}
	return &made.Node
}

func clientID(spec v1alpha1.ObservedCertificateSpec) string {
	if spec.Authentication == nil {
		return ""
	}
	return spec.Authentication.MSIClientID
}

func helmValues(certificates []Certificate) *yaml.Node {
	all := newMapping()
	for _, certificate := range certificates {
		all.set(certificate.Name, spec(certificate, true))
	}
	return &of("certificates", &all.Node).Node
}

// extensionSettings writes the extension's own settings, a document for each identity.
func extensionSettings(certificates []Certificate) []*yaml.Node {
	lists := map[string]*yaml.Node{}
	var documents []*yaml.Node
	for _, certificate := range certificates {
		id := clientID(certificate.Spec)
		if lists[id] == nil {
			lists[id] = &yaml.Node{Kind: yaml.SequenceNode}
			document := of("secretsManagementSettings", &of("observedCertificates", lists[id]).Node)
			if id != "" {
				document.set("authenticationSettings", &of("msiClientId", word(id)).Node)
			}
			documents = append(documents, &document.Node)
		}
		lists[id].Content = append(lists[id].Content, spec(certificate, false))
	}
	return documents
}
