package v1alpha1_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings/schema"
	"github.com/vaultpane/vaultpane/test/controlplane"
)

const (
	goodURL = "https://myvault.vault.azure.net/secrets/web"
	pinned  = goodURL + "/0123456789abcdef0123456789abcdef"
)

func url(value string) string { return fmt.Sprintf(`{"url": %q}`, value) }

// with returns a spec with a good URL and other fields.
func with(fields string) string { return fmt.Sprintf(`{"url": %q, %s}`, goodURL, fields) }

// many returns a list whose elements have their number in the place of #.
func many(count int, element string) string {
	elements := make([]string, count)
	for i := range elements {
		elements[i] = strings.ReplaceAll(element, "#", strconv.Itoa(i))
	}
	return strings.Join(elements, ", ")
}

// refused are specs that the API server must refuse, and what its message must say to be of use.
var refused = []struct{ name, spec, says string }{
	{"accounts of more than 4,096 characters together", with(`"accounts": [` + many(64, `"CORP\\\\#`+strings.Repeat("a", 60)+`"`) + `]`), "must not have more than 4096 characters"},
	{"more than 128 values to select nodes by", with(`"nodeSelector": {"matchExpressions": [` + many(3, `{"key": "a", "operator": "In", "values": [`+many(64, `"v#"`)+`]}`) + `]}`), "must not have more than 128 values"},
	{"no spec at all", `null`, "spec: Required"},
	{"no url", `{}`, "spec.url: Invalid value: is required: the URL of a secret in Key Vault"},
	{"empty url", url(""), "spec.url"},
	{"url of another type", `{"url": 5}`, "must be of type string"},
	{"plain http", url("http://v.vault.azure.net/secrets/a"), "must begin with https://"},
	{"capital scheme", url("HTTPS://v.vault.azure.net/secrets/a"), "must begin with https://"},
	{"no scheme", url("v.vault.azure.net/secrets/a"), "must begin with https://"},
	{"blank in front", url(" https://v.vault.azure.net/secrets/a"), "has leading or trailing spaces; remove them"},
	{"blank behind", url("https://v.vault.azure.net/secrets/a "), "has leading or trailing spaces; remove them"},
	{"a line break behind", url("https://v.vault.azure.net/secrets/a\n"), "has leading or trailing spaces; remove them"},
	{"a page of the portal", url("https://portal.azure.com/#@contoso.onmicrosoft.com/asset/Microsoft_Azure_KeyVault/Secret/https://v.vault.azure.net/secrets/a"), "is an address of the Azure portal"},
	{"a page of the portal of the government's cloud", url("https://ms.portal.azure.us/"), "copy its Secret Identifier"},
	{"the id of a resource", url("/subscriptions/0/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/secrets/a"), "is the id of an Azure resource"},
	{"the address of a resource", url("https://management.azure.com/subscriptions/0/resourceGroups/g"), "--query sid"},
	{"the name of a file", url("@settings.json"), "is a reference or a file name"},
	{"an App Service reference", url("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a)"), "is a reference or a file name"},
	{"no host", url("https:///secrets/a"), "needs a host name"},
	{"one slash", url("https:/v.vault.azure.net/secrets/a"), "must begin with https://"},
	{"a placeholder as host", url("https://<myvault>.vault.azure.net/secrets/a"), "needs a host name"},
	{"a blank in the host", url("https://my vault.vault.azure.net/secrets/a"), "needs a host name"},
	{"an underscore in the host", url("https://my_vault.vault.azure.net/secrets/a"), "has '_' in its host"},
	{"a dash at the host's end", url("https://v-/secrets/a"), "needs a host name"},
	{"two dots in the host", url("https://v..vault.azure.net/secrets/a"), "needs a host name"},
	{"a dot at the host's end", url("https://v.vault.azure.net./secrets/a"), "needs a host name"},
	{"a dash before a dot", url("https://v-.vault.azure.net/secrets/a"), "needs a host name"},
	{"an IPv6 address", url("https://[::1]:8443/secrets/a"), "needs a host name"},
	{"letters that are not ASCII in the host", url("https://vült.vault.azure.net/secrets/a"), "needs a host name"},
	{"percent in the host", url("https://v%2evault.azure.net/secrets/a"), "needs a host name"},
	{"a backslash before the host", url("https://v.vault.azure.net\\@evil.example/secrets/a"), "user name or password"},
	{"a user", url("https://me@v.vault.azure.net/secrets/a"), "user name or password"},
	{"a password", url("https://me:pw@v.vault.azure.net/secrets/a"), "user name or password"},
	{"port 0", url("https://v.vault.azure.net:0/secrets/a"), "between 1 and 65535"},
	{"port 70000", url("https://v.vault.azure.net:70000/secrets/a"), "between 1 and 65535"},
	{"port of letters", url("https://v.vault.azure.net:https/secrets/a"), "needs a host name"},
	{"an empty port", url("https://v.vault.azure.net:/secrets/a"), "needs a host name"},
	{"no path", url("https://v.vault.azure.net"), "must have the path /secrets/<name>"},
	{"a bare slash", url("https://v.vault.azure.net/"), "must have the path /secrets/<name>"},
	{"certificates path", url("https://v.vault.azure.net/certificates/a"), "the secret of the same name holds the private key"},
	{"certificates path with version", url("https://v.vault.azure.net/certificates/a/0123456789abcdef0123456789abcdef"), "the secret of the same name holds the private key"},
	{"keys path", url("https://v.vault.azure.net/keys/a"), "/keys/ do not"},
	{"another path", url("https://v.vault.azure.net/storage/a"), "must have the path /secrets/<name>"},
	{"secrets in capitals", url("https://v.vault.azure.net/Secrets/a"), "must have the path /secrets/<name>"},
	{"no name", url("https://v.vault.azure.net/secrets/"), "1 to 127 letters, digits and dashes"},
	{"no slash before the name", url("https://v.vault.azure.net/secrets"), "must have the path /secrets/<name>"},
	{"underscore in the name", url("https://v.vault.azure.net/secrets/my_cert"), "letters, digits and dashes"},
	{"dot in the name", url("https://v.vault.azure.net/secrets/www.example.com"), "letters, digits and dashes"},
	{"percent in the name", url("https://v.vault.azure.net/secrets/a%20b"), "letters, digits and dashes"},
	{"name of 128 letters", url("https://v.vault.azure.net/secrets/" + strings.Repeat("a", 128)), "1 to 127"},
	{"a word as version", url("https://v.vault.azure.net/secrets/a/latest"), "32 hexadecimal digits"},
	{"a version of 31 digits", url("https://v.vault.azure.net/secrets/a/0123456789abcdef0123456789abcde"), "32 hexadecimal digits"},
	{"a version of 33 digits", url("https://v.vault.azure.net/secrets/a/0123456789abcdef0123456789abcdef0"), "32 hexadecimal digits"},
	{"a version with a g", url("https://v.vault.azure.net/secrets/a/g123456789abcdef0123456789abcdef"), "32 hexadecimal digits"},
	{"a slash behind the name", url("https://v.vault.azure.net/secrets/a/"), "omit it to follow the newest"},
	{"path behind the version", url(pinned + "/x"), "32 hexadecimal digits, with nothing after it"},
	{"a query", url(goodURL + "?api-version=7.4"), "must not have a query"},
	{"an empty query", url(goodURL + "?"), "must not have a query"},
	{"a fragment", url(goodURL + "#top"), "fragment"},
	{"a line break", url(goodURL + "\n"), "letters, digits and dashes"},
	{"too long", url("https://" + strings.Repeat("a", 1100) + ".vault.azure.net/secrets/a"), "spec.url: Too long: may not be"},

	{"empty store name", with(`"certificateStoreName": ""`), "certificateStoreName"},
	{"store with a path", with(`"certificateStoreName": "LocalMachine\\MY"`), "the location has its own field"},
	{"store with a slash", with(`"certificateStoreName": "Cert:/LocalMachine"`), "must be the name of a store"},
	{"store upwards", with(`"certificateStoreName": ".."`), "must be the name of a store"},
	{"store with blanks around", with(`"certificateStoreName": " MY "`), "leading or trailing spaces"},
	{"store with a tab", with(`"certificateStoreName": "M\tY"`), "must be the name of a store"},
	{"store too long", with(`"certificateStoreName": "` + strings.Repeat("a", 65) + `"`), "spec.certificateStoreName: Too long: may not be"},
	{"AuthRoot", with(`"certificateStoreName": "AuthRoot"`), "Windows' own root update"},
	{"Disallowed in other letters", with(`"certificateStoreName": "disallowed"`), "Windows' own root update"},
	{"Personal", with(`"certificateStoreName": "Personal"`), "is named MY; write MY"},
	{"personal in small letters", with(`"certificateStoreName": "personal"`), "is named MY; write MY"},
	{"Intermediate", with(`"certificateStoreName": "Intermediate"`), "is named CA; write CA"},
	{"Intermediate Certification Authorities", with(`"certificateStoreName": "Intermediate Certification Authorities"`), "is named CA; write CA"},
	{".NET's name of CA", with(`"certificateStoreName": "CertificateAuthority"`), "is named CA; write CA"},
	{"Trusted Root Certification Authorities", with(`"certificateStoreName": "Trusted Root Certification Authorities"`), "is named Root; write Root"},
	{"TrustedRoot", with(`"certificateStoreName": "TrustedRoot"`), "is named Root; write Root"},
	{"Root CA", with(`"certificateStoreName": "Root CA"`), "is named Root; write Root"},
	{"Trusted Publishers", with(`"certificateStoreName": "Trusted Publishers"`), "write TrustedPublisher"},
	{"Trusted People", with(`"certificateStoreName": "Trusted People"`), "write TrustedPeople"},
	{"Web Hosting", with(`"certificateStoreName": "Web Hosting"`), "write WebHosting"},
	{"Other People", with(`"certificateStoreName": "Other People"`), "write AddressBook"},
	{"Enterprise Trust", with(`"certificateStoreName": "Enterprise Trust"`), "write Trust"},
	{"Client Authentication Issuers", with(`"certificateStoreName": "Client Authentication Issuers"`), "write ClientAuthIssuer"},
	{"Certificate Enrollment Requests", with(`"certificateStoreName": "Certificate Enrollment Requests"`), "write REQUEST"},
	{"Smart Card Trusted Roots", with(`"certificateStoreName": "Smart Card Trusted Roots"`), "write SmartCardRoot"},
	{"Trusted Devices", with(`"certificateStoreName": "Trusted Devices"`), "write TrustedDevices"},
	{"Third-Party Root Certification Authorities", with(`"certificateStoreName": "Third-Party Root Certification Authorities"`), "use Root to trust"},
	{"Untrusted Certificates", with(`"certificateStoreName": "Untrusted Certificates"`), "use Root to trust"},
	{"an exportable key in Root", with(`"certificateStoreName": "root", "keyExportable": true`), "spec.keyExportable: Invalid value"},
	{"accounts in CA", with(`"certificateStoreName": "CA", "accounts": ["a"]`), "spec.accounts: Invalid value"},
	{"a link in TrustedPeople", with(`"certificateStoreName": "TrustedPeople", "linkOnRenewal": true`), "must be false or left out in the stores Root, CA, TrustedPeople and TrustedPublisher"},
	{"an exportable key in TrustedPublisher", with(`"certificateStoreName": "TrustedPublisher", "keyExportable": true`), "never a private key"},
	{"Root of the user", with(`"certificateStoreName": "Root", "certificateStoreLocation": "CURRENT_USER"`), "must be LocalMachine for the store Root"},
	{"store of another type", with(`"certificateStoreName": ["MY"]`), "must be of type string"},
	{"location in small letters", with(`"certificateStoreLocation": "localmachine"`), `supported values: "LocalMachine"`},
	{"unknown location", with(`"certificateStoreLocation": "Services"`), "supported values"},
	{"a folder as location, as the Linux extension has it", with(`"certificateStoreLocation": "/var/lib"`), "supported values"},

	{"interval of 0", with(`"pollingIntervalInS": 0`), "at least 30 seconds"},
	{"interval of 29", with(`"pollingIntervalInS": 29`), "at least 30 seconds"},
	{"negative interval", with(`"pollingIntervalInS": -1`), "at least 30 seconds"},
	{"interval of a year", with(`"pollingIntervalInS": 31536000`), "at most 2592000 seconds (30 days)"},
	{"interval as a string", with(`"pollingIntervalInS": "3600"`), "must be of type integer"},
	{"interval with a fraction", with(`"pollingIntervalInS": 60.5`), "must be of type integer"},

	{"exportable as a string", with(`"keyExportable": "false"`), "must be of type boolean"},
	{"link as a string", with(`"linkOnRenewal": "true"`), "must be of type boolean"},
	{"initial sync as a number", with(`"requireInitialSync": 1`), "must be of type boolean"},
	{"suspend as a string", with(`"suspend": "yes"`), "must be of type boolean"},

	{"empty account", with(`"accounts": [""]`), "spec.accounts[0]"},
	{"blank account", with(`"accounts": ["  "]`), "must not be empty"},
	{"account with blanks around", with(`"accounts": [" Network Service"]`), "leading or trailing spaces"},
	{"account with a line break", with(`"accounts": ["Network\nService"]`), "control characters"},
	{"account with a tab", with(`"accounts": ["a\tb"]`), "control characters"},
	{"account too long", with(`"accounts": ["` + strings.Repeat("a", 257) + `"]`), "spec.accounts[0]: Too long: may not be"},
	{"the same account twice", with(`"accounts": ["a", "a"]`), "Duplicate value"},
	{"accounts between semicolons", with(`"accounts": ["Network Service;IIS_IUSRS"]`), "write each as an entry of its own"},
	{"accounts between commas", with(`"accounts": ["Network Service, IIS_IUSRS"]`), "write each as an entry of its own"},
	{"a slash for a backslash", with(`"accounts": ["NT AUTHORITY/NETWORK SERVICE"]`), "write a backslash"},
	{"two backslashes", with(`"accounts": ["NT AUTHORITY\\\\NETWORK SERVICE"]`), "contains two backslashes in a row"},
	{"half a SID", with(`"accounts": ["S-1-5-"]`), "begins like a SID but is not one"},
	{"a SID as icacls writes it", with(`"accounts": ["*S-1-5-20"]`), "contains one of * ? | < >"},
	{"an account in quotation marks", with(`"accounts": ["\"Network Service\""]`), "a quotation mark"},
	{"accounts as one string", with(`"accounts": "Network Service"`), "must be of type array"},

	{"client id that is a resource id", with(`"authentication": {"msiClientId": "/subscriptions/1/resourceGroups/r/providers/x"}`), "a resource id (/subscriptions/...)"},
	{"client id that is a name", with(`"authentication": {"msiClientId": "my-identity"}`), "must be a client id, a GUID"},
	{"client id of zeros", with(`"authentication": {"msiClientId": "00000000-0000-0000-0000-000000000000"}`), "is a GUID of zeros"},
	{"client id in braces", with(`"authentication": {"msiClientId": "{3f2504e0-4f89-11d3-9a0c-0305e82c3301}"}`), "must be a client id, a GUID"},
	{"authentication of another type", with(`"authentication": "msi"`), "must be of type object"},

	{"unknown deletion policy", with(`"deletionPolicy": "Remove"`), `supported values: "Retain", "Delete"`},
	{"versions that are listed every second", with(`"versionWatchIntervalInS": 1`), "must be at least 30 seconds"},
	{"versions that are listed never", with(`"versionWatchIntervalInS": 0`), "must be at least 30 seconds"},
	{"versions that are listed once a week", with(`"versionWatchIntervalInS": 604800`), "must be at most 86400 seconds"},
	{"a roll-out without waves", with(`"rollout": {}`), "spec.rollout.waves: Required"},
	{"a roll-out with an empty list of waves", with(`"rollout": {"waves": []}`), "should have at least 1 items"},
	{"eleven waves", with(`"rollout": {"waves": [` + many(11, `{"nodeSelector": {}, "pause": "#m"}`) + `]}`), "must have at most 10 items"},
	{"a wave of no nodes in particular", with(`"rollout": {"waves": [{"pause": "30m"}]}`), "spec.rollout.waves[0].nodeSelector: Required"},
	{"a pause without a unit", with(`"rollout": {"waves": [{"nodeSelector": {}, "pause": "30"}]}`), "spec.rollout.waves[0].pause"},
	{"a negative pause", with(`"rollout": {"waves": [{"nodeSelector": {}, "pause": "-1m"}]}`), "must be a time between 0s and 720h, such as 30m"},
	{"a pause of a year", with(`"rollout": {"waves": [{"nodeSelector": {}, "pause": "8760h"}]}`), "must be a time between 0s and 720h"},
	{"a wave with a wrong operator", with(`"rollout": {"waves": [{"nodeSelector": {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}}]}`), "spec.rollout.waves[0].nodeSelector"},
	{"waves of a pinned version", fmt.Sprintf(`{"url": %q, "rollout": {"waves": [{"nodeSelector": {}, "pause": "30m"}]}}`, pinned), "must be left out while spec.url names a version"},
	{"a URL and a ConfigMap", with(`"certificateStoreName": "Root", "configMap": {"name": "a", "key": "ca.crt"}`), "spec.configMap: Invalid value: must be left out beside url"},
	{"a ConfigMap for the store MY", `{"configMap": {"name": "a", "key": "ca.crt"}}`, "spec.certificateStoreName: Invalid value: must be Root, CA"},
	{"a ConfigMap of another namespace", `{"certificateStoreName": "Root", "configMap": {"name": "other/a", "key": "ca.crt"}}`, "without a namespace"},
	{"a ConfigMap without a key", `{"certificateStoreName": "Root", "configMap": {"name": "a"}}`, "spec.configMap.key: Required"},
	{"a ConfigMap with an identity", `{"certificateStoreName": "Root", "configMap": {"name": "a", "key": "b"}, "authentication": {}}`, "spec.authentication: Invalid value: must be left out for a ConfigMap"},
	{"a ConfigMap in waves", `{"certificateStoreName": "Root", "configMap": {"name": "a", "key": "b"}, "rollout": {"waves": [{"nodeSelector": {}}]}}`, "spec.rollout: Invalid value: must be left out for a ConfigMap"},
	{"a ConfigMap that is listed", `{"certificateStoreName": "Root", "configMap": {"name": "a", "key": "b"}, "versionWatchIntervalInS": 60}`, "spec.versionWatchIntervalInS: Invalid value: must be left out for a ConfigMap"},
	{"two uses in one entry", with(`"usedBy": [{"remoteDesktop": {}, "winRM": {}}]`), "must have exactly one of httpSys"},
	{"an empty use", with(`"usedBy": [{}]`), "must have exactly one of httpSys"},
	{"a script", with(`"usedBy": [{"script": "Restart-Computer"}]`), "unknown field"},
	{"a binding without an address", with(`"usedBy": [{"httpSys": {}}]`), "must have either ipPort"},
	{"a binding with two addresses", with(`"usedBy": [{"httpSys": {"ipPort": "0.0.0.0:443", "hostnamePort": "a.example:443"}}]`), "must have either ipPort"},
	{"a binding by host in ipPort", with(`"usedBy": [{"httpSys": {"ipPort": "shop.example:443"}}]`), "has its own field, hostnamePort"},
	{"a binding by address in hostnamePort", with(`"usedBy": [{"httpSys": {"hostnamePort": "0.0.0.0:443"}}]`), "write it as ipPort"},
	{"a binding without a port", with(`"usedBy": [{"httpSys": {"ipPort": "0.0.0.0"}}]`), "must be an address and a port"},
	{"a binding with a port that is none", with(`"usedBy": [{"httpSys": {"ipPort": "0.0.0.0:65536"}}]`), "must be an address and a port"},
	{"an application id without adopt", with(`"usedBy": [{"httpSys": {"ipPort": "0.0.0.0:443", "appId": "{4dc3e181-e14b-4a21-b022-59fc669b0914}"}}]`), "is only used to create a binding"},
	{"an application id that is a name", with(`"usedBy": [{"httpSys": {"ipPort": "0.0.0.0:443", "adopt": true, "appId": "IIS"}}]`), "must be a GUID in braces"},
	{"an instance with its host", with(`"usedBy": [{"sqlServer": {"instance": "host\\SQLEXPRESS"}}]`), "without the host's name"},
	{"an instance that leads elsewhere", with(`"usedBy": [{"sqlServer": {"instance": "..\\..\\Run"}}]`), "must be the name of an instance"},
	{"a service without an action", with(`"usedBy": [{"service": {"name": "w3svc"}}]`), "action: Required"},
	{"a service that runs a program", with(`"usedBy": [{"service": {"name": "w3svc", "action": "Run"}}]`), `supported values: "Restart"`},
	{"a service with a path", with(`"usedBy": [{"service": {"name": "..\\x", "action": "Restart"}}]`), "without slashes"},
	{"Remote Desktop in another store", with(`"certificateStoreName": "WebHosting", "usedBy": [{"remoteDesktop": {}}]`), "set certificateStoreName to MY"},
	{"a use of a trust store", with(`"certificateStoreName": "Root", "usedBy": [{"httpSys": {"ipPort": "0.0.0.0:443"}}]`), "spec.usedBy: Invalid value: must be left out in the stores Root"},
	{"a use of the user's store", with(`"certificateStoreLocation": "CurrentUser", "usedBy": [{"httpSys": {"ipPort": "0.0.0.0:443"}}]`), "needs certificateStoreLocation LocalMachine"},
	{"seventeen uses", with(`"usedBy": [` + many(17, `{"httpSys": {"hostnamePort": "h#.example:443"}}`) + `]`), "must have at most 16 items"},
	{"negative history", with(`"revisionHistoryLimit": -1`), "leave it out to keep all"},
	{"history of 101", with(`"revisionHistoryLimit": 101`), "between 0 and 100"},
	{"unknown provider", with(`"keyStorageProvider": "TPM"`), `supported values: "CNG", "CAPI"`},
	{"selector as a map", with(`"nodeSelector": {"kubernetes.io/os": "windows"}`), "unknown field"},
	{"selector with an unknown operator", with(`"nodeSelector": {"matchExpressions": [{"key": "os", "operator": "Is", "values": ["windows"]}]}`), `supported values: "In", "NotIn"`},
	{"selector In without values", with(`"nodeSelector": {"matchExpressions": [{"key": "os", "operator": "In"}]}`), "In and NotIn need values"},
	{"selector Exists with values", with(`"nodeSelector": {"matchExpressions": [{"key": "os", "operator": "Exists", "values": ["x"]}]}`), "Exists and DoesNotExist must not have values"},
	{"selector with a key that is none", with(`"nodeSelector": {"matchLabels": {"my label": "x"}}`), "must be that of a label"},
	{"selector with a key of 64 letters", with(`"nodeSelector": {"matchLabels": {"` + strings.Repeat("a", 64) + `": "x"}}`), "at most 63 letters"},
	{"selector with a prefix that is no DNS name", with(`"nodeSelector": {"matchLabels": {"a..b/os": "x"}}`), "must be that of a label"},
	{"selector expression with a key of 64 letters", with(`"nodeSelector": {"matchExpressions": [{"key": "` + strings.Repeat("a", 64) + `", "operator": "Exists"}]}`), "at most 63 letters"},
	{"selector with a value that is none", with(`"nodeSelector": {"matchLabels": {"os": "win dows"}}`), "must be the value of a label"},
	{"a field that does not exist", with(`"certificateStore": "MY"`), "unknown field"},
}

// accepted are specs that must be taken as they are.
var accepted = []struct{ name, spec string }{
	{"a URL alone", url(goodURL)},
	{"the values of the documentation of 2017", `{"url": "https://myvault.vault.azure.net:443/secrets/mycertificate", "certificateStoreName": "MY", "certificateStoreLocation": "LOCAL_MACHINE", "pollingIntervalInS": 3600}`},
	{"the user's store in the spelling of 2017", with(`"certificateStoreLocation": "CURRENT_USER"`)},
	{"a pinned version", url(pinned)},
	{"a test server", url("https://localhost:8443/secrets/a")},
	{"a host in capitals", url("https://MyVault.Vault.Azure.Net/secrets/a")},
	{"a host in punycode", url("https://xn--vlt-hoa.vault.azure.net/secrets/a")},
	{"a host with dashes in a row", url("https://a--b.vault.azure.net/secrets/a")},
	{"a label of 63 letters and a long prefix", with(`"nodeSelector": {"matchLabels": {"` + strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "/" + strings.Repeat("c", 63) + `": ""}}`)},
	{"an address", url("https://127.0.0.1:8443/secrets/a")},
	{"a name of 127 letters", url("https://v.vault.azure.net/secrets/" + strings.Repeat("a", 127))},
	{"waves", with(`"rollout": {"waves": [{"nodeSelector": {"matchLabels": {"ring": "canary"}}, "pause": "30m"}, {"nodeSelector": {"matchLabels": {"ring": "early"}}, "pause": "1h30m"}, {"nodeSelector": {}}]}`)},
	{"the least interval of the version watch", with(`"versionWatchIntervalInS": 30`)},
	{"authorities of a ConfigMap", `{"certificateStoreName": "Root", "configMap": {"name": "private-ca.v1", "key": "ca-certificates.crt"}}`},
	{"uses of every kind", with(`"usedBy": [{"httpSys": {"ipPort": "0.0.0.0:443"}}, {"httpSys": {"ipPort": "[::]:65535", "adopt": true, "appId": "{4dc3e181-e14b-4a21-b022-59fc669b0914}"}}, {"httpSys": {"hostnamePort": "*.shop.example:8443"}}, {"httpSys": {"hostnamePort": "10.example:443"}}, {"remoteDesktop": {}}, {"winRM": {}}, {"sqlServer": {"instance": "MSSQLSERVER"}}, {"service": {"name": "MSSQL$ONE", "action": "Restart"}}]`)},
	{"a binding in another store", with(`"certificateStoreName": "WebHosting", "usedBy": [{"httpSys": {"ipPort": "10.0.0.1:443"}}, {"service": {"name": "w3svc", "action": "Restart"}}]`)},
	{"the least interval", with(`"pollingIntervalInS": 30`)},
	{"a store with a blank", with(`"certificateStoreName": "Remote Desktop"`)},
	{"a trust store", with(`"certificateStoreName": "Root"`)},
	{"accounts of every kind", with(`"accounts": ["Network Service", "NT SERVICE\\W3SVC", "IIS AppPool\\Default", "CORP\\gmsa$", "S-1-5-20", "Dienst für Öl"]`)},
	{"a name in an application pool that others must not have", with(`"accounts": ["IIS AppPool\\a/b, c"]`)},
	{"stores of others", with(`"certificateStoreName": "TrustedPeopleOfMine"`)},
	{"false and none in a trust store", with(`"certificateStoreName": "Root", "keyExportable": false, "linkOnRenewal": false, "accounts": []`)},
	{"CA of the user", with(`"certificateStoreName": "CA", "certificateStoreLocation": "CurrentUser"`)},
	{"everything", with(`"keyExportable": true, "linkOnRenewal": true, "requireInitialSync": true, "suspend": true, "deletionPolicy": "Delete", "revisionHistoryLimit": 0, "keyStorageProvider": "CAPI", "authentication": {"msiClientId": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}, "nodeSelector": {"matchLabels": {"kubernetes.io/os": "windows"}, "matchExpressions": [{"key": "gpu", "operator": "DoesNotExist"}]}`)},
}

func objectOf(t *testing.T, spec string) map[string]any {
	t.Helper()
	object := &unstructured.Unstructured{}
	text := fmt.Sprintf(`{"apiVersion": "vaultpane.dev/v1alpha1", "kind": "ObservedCertificate", "metadata": {"name": "x"}, "spec": %s}`, spec)
	if err := object.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return object.Object
}

// sameWithoutCluster compares the API server's reasons for refusing a spec with those of internal/settings/schema.
func sameWithoutCluster(t *testing.T, rules *schema.Validator, spec string, fromServer error) {
	t.Helper()
	var want, got []string
	var status apierrors.APIStatus
	if errors.As(fromServer, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			if !strings.HasPrefix(cause.Message, "Invalid value: null: some validation rules were not checked") {
				want = append(want, cause.Field+": "+cause.Message)
			}
		}
	}
	object := objectOf(t, spec)
	unknown := rules.Complete(object)
	if apierrors.IsBadRequest(fromServer) {
		for _, path := range unknown {
			if !strings.Contains(fromServer.Error(), fmt.Sprintf("unknown field %q", path)) {
				t.Errorf("without a cluster, %s is unknown; the API server says %v", path, fromServer)
			}
		}
		if len(unknown) == 0 {
			t.Errorf("without a cluster, no field is unknown; the API server says %v", fromServer)
		}
		return
	}
	for _, failure := range rules.Validate(t.Context(), object) {
		got = append(got, failure.Field+": "+failure.ErrorBody())
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused for other reasons without a cluster (-API server +here):\n%s", diff)
	}
}

func TestTheAPIServer(t *testing.T) {
	cluster := controlplane.ForTest(t)
	if err := cluster.InstallCRDs(t.Context(), "../../config/crd"); err != nil {
		t.Fatal(err)
	}
	kube, err := dynamic.NewForConfig(cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	certificates := kube.Resource(v1alpha1.GroupVersion.WithResource("observedcertificates"))
	create := func(t *testing.T, name, spec string) (*unstructured.Unstructured, error) {
		t.Helper()
		object := &unstructured.Unstructured{}
		text := fmt.Sprintf(`{"apiVersion": "vaultpane.dev/v1alpha1", "kind": "ObservedCertificate", "metadata": {"name": %q}, "spec": %s}`, name, spec)
		if err := json.Unmarshal([]byte(text), &object.Object); err != nil {
			t.Fatalf("the test's own JSON is broken: %v\n%s", err, text)
		}
		return certificates.Create(t.Context(), object, metav1.CreateOptions{FieldValidation: "Strict"})
	}

	rules, err := schema.New()
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range refused {
		t.Run("refuses/"+test.name, func(t *testing.T) {
			_, err := create(t, fmt.Sprintf("bad-%d", i), test.spec)
			if err == nil {
				t.Fatalf("accepted %s", test.spec)
			}
			if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
				t.Fatalf("refused with another error: %v", err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("the message does not say %q:\n%v", test.says, err)
			}
			sameWithoutCluster(t, rules, test.spec, err)
		})
	}
	for i, test := range accepted {
		t.Run("accepts/"+test.name, func(t *testing.T) {
			made, err := create(t, fmt.Sprintf("good-%d", i), test.spec)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			object := objectOf(t, test.spec)
			if unknown, failures := rules.Complete(object), rules.Validate(t.Context(), object); len(unknown)+len(failures) > 0 {
				t.Errorf("refused without a cluster: %v, %v", unknown, failures)
			}
			if diff := cmp.Diff(made.Object["spec"], object["spec"]); diff != "" {
				t.Errorf("completed in another way without a cluster (-API server +here):\n%s", diff)
			}
		})
	}
	t.Run("one URL may be observed several times for several stores", func(t *testing.T) {
		for _, store := range []string{"MY", "WebHosting", "Root"} {
			if _, err := create(t, "url-"+strings.ToLower(store), with(fmt.Sprintf(`"certificateStoreName": %q`, store))); err != nil {
				t.Errorf("refused for %s: %v", store, err)
			}
		}
	})
	t.Run("defaults are the extension's", func(t *testing.T) {
		made, err := create(t, "defaults", url(goodURL))
		if err != nil {
			t.Fatal(err)
		}
		spec, _, _ := unstructured.NestedMap(made.Object, "spec")
		want := map[string]any{"url": goodURL, "certificateStoreName": "MY", "certificateStoreLocation": "LocalMachine", "pollingIntervalInS": int64(3600), "deletionPolicy": "Retain"}
		for field, value := range want {
			if spec[field] != value {
				t.Errorf("%s is %v, want %v", field, spec[field], value)
			}
		}
	})
	t.Run("several faults are named at once", func(t *testing.T) {
		_, err := create(t, "many", `{"url": "https://v.vault.azure.net/certificates/a?x", "pollingIntervalInS": 5, "certificateStoreName": "a/b"}`)
		for _, says := range []string{"private key", "query", "at least 30", "name of a store"} {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("the message does not say %q: %v", says, err)
			}
		}
	})
}
