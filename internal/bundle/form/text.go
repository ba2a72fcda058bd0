package form

import (
	"bytes"
	"encoding/json"

	"github.com/vaultpane/vaultpane/internal/bundle/armor"
)

// Forms in text.
var (
	PEM = Form{"PEM text", "store the PEM text itself under the content type " + ContentTypePEM + " (az keyvault secret set " +
		"--file FILE --content-type " + ContentTypePEM + ")"}
	PGP = Form{"an OpenPGP message or key", "decrypt it if it is a message, and import the PFX that has certificate and key; an " +
		"OpenPGP key is not an X.509 certificate"}
	sshKey          = Form{"a public key for SSH", "import the certificate with its private key; SSH keys are not X.509 certificates"}
	html            = Form{"an HTML page", "download the file again while signed in (the page is usually a sign-in or error page), and import it"}
	wrapper         = Form{"Service Fabric's JSON with a PFX in its field data", "decode the field data from base64 into a file and import that as a certificate (az keyvault certificate import --file FILE)"}
	wrapperPassword = Form{"Service Fabric's JSON with a PFX and its password", "decode the field data from base64 into a file and import that as a certificate with the password that the JSON holds (az keyvault certificate import --file FILE --password PASSWORD), which removes the password"}
	jsonText        = Form{"JSON", "store only the certificate: the PFX as base64 text or the PEM text, or import it as a certificate"}
	xml             = Form{"XML", "store only the certificate: the PFX as base64 text or the PEM text, or import it as a certificate"}
	quoted          = Form{"text in quotation marks", "store it without them (az … --output tsv writes none)"}
	changedDashes   = Form{"PEM whose dashes before and after BEGIN and END were changed", "write five hyphens in each place, or upload the original file (az keyvault secret set --file FILE)"}
	path            = Form{"the name of a file", "store the file's content (az keyvault secret set --file FILE), or import it as a certificate"}
	url             = Form{"a URL", "store the certificate itself, or import it as a certificate"}
	hexadecimal     = Form{"hexadecimal digits", "store base64 text instead, or import the file as a certificate"}
)

// OfText recognizes text by its beginning. It never reads more of a value than it needs.
func OfText(text []byte) (Form, bool) {
	text = bytes.TrimSpace(text)
	begins := func(prefix string) bool {
		return len(text) >= len(prefix) && bytes.EqualFold(text[:len(prefix)], []byte(prefix))
	}
	switch {
	case begins("-----BEGIN PGP "):
		return PGP, true
	case bytes.Contains(text, []byte(armor.Begin)):
		return PEM, true
	case begins("ssh-"), begins("ecdsa-sha2-"), begins("---- BEGIN SSH2 "):
		return sshKey, true
	case begins("{"), begins("["):
		return ofJSON(text), true
	case begins("<!doctype html"), begins("<html"):
		return html, true
	case begins("<"):
		return xml, true
	case begins(`"`), begins("'"):
		return quoted, true
	case begins("http://"), begins("https://"):
		return url, true
	case bytes.Contains(text, []byte("BEGIN CERTIFICATE")), bytes.Contains(text, []byte("PRIVATE KEY")):
		return changedDashes, true
	case begins("@"), begins("./"), begins("/") && !armor.IsBase64(text), isDrivePath(text):
		return path, true
	case len(text) > 64 && len(bytes.Trim(text, "0123456789abcdefABCDEF \r\n")) == 0:
		return hexadecimal, true
	}
	return Form{}, false
}

func isDrivePath(text []byte) bool { return len(text) > 2 && text[1] == ':' && text[2] == '\\' }

// ofJSON distinguishes from other JSON the form in which templates of Service Fabric and of virtual machines had certificates as
// secrets before Key Vault had certificates: {"data": base64 of a PFX, "dataType": "pfx", "password": …}.
func ofJSON(text []byte) Form {
	var object map[string]json.RawMessage
	defer func() {
		for _, raw := range object {
			clear(raw)
		}
	}()
	if json.Unmarshal(text, &object) != nil || object["data"] == nil || object["dataType"] == nil && object["password"] == nil {
		return jsonText
	}
	if password := string(object["password"]); password == "" || password == `""` || password == "null" {
		return wrapper
	}
	return wrapperPassword
}

// Inside returns the form of a text, or of what it is the base64 text of, through as many layers as a script may have added.
// what names it with its layers.
func Inside(text []byte) (f Form, what string, known bool) {
	if f, known = OfText(text); known {
		return f, f.What, true
	}
	der, ok := armor.DecodeBase64(bytes.Clone(text))
	defer clear(der)
	if !ok {
		return Form{}, "", false
	}
	if f, known = Of(der); known {
		return f, "base64 of " + f.What, true
	}
	again, ok := armor.DecodeBase64(bytes.Clone(der))
	defer clear(again)
	if f, known = Of(again); ok && known {
		return f, "base64 of base64 of " + f.What, true
	}
	return Form{}, "", false
}
