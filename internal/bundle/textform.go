package bundle

import (
	"bytes"
	"encoding/json"
)

// Forms in text.
var (
	formPEM = form{"PEM text", "store the PEM text itself under the content type " + ContentTypePEM + " (az keyvault secret set " +
		"--file FILE --content-type " + ContentTypePEM + ")"}
	formPGP = form{"an OpenPGP message or key", "decrypt it if it is a message, and import the PFX that has certificate and key; an " +
		"OpenPGP key is no X.509 certificate"}
	formSSH         = form{"a public key for SSH", "import the certificate with its private key; SSH's keys are no X.509 certificates"}
	formHTML        = form{"an HTML page", "download the file again while signed in (the page is most often a sign-in or error page), and import it"}
	formWrapper     = form{"Service Fabric's JSON with a PFX in its field data", "decode the field data from base64 into a file and import that as a certificate (az keyvault certificate import --file FILE)"}
	formWrapperLock = form{"Service Fabric's JSON with a PFX and its password", "decode the field data from base64 into a file and import that as a certificate with the password that the JSON holds (az keyvault certificate import --file FILE --password PASSWORD), which takes the password off"}
	formJSON        = form{"JSON", "store only the certificate: the PFX as base64 text or the PEM text, or import it as a certificate"}
	formXML         = form{"XML", "store only the certificate: the PFX as base64 text or the PEM text, or import it as a certificate"}
	formQuoted      = form{"text in quotation marks", "store it without them (az … --output tsv writes none)"}
	formDashes      = form{"PEM whose dashes before and after BEGIN and END were changed", "write five hyphens in each place, or upload the file as it came (az keyvault secret set --file FILE)"}
	formPath        = form{"the name of a file", "store the file's content (az keyvault secret set --file FILE), or import it as a certificate"}
	formURL         = form{"a URL", "store the certificate itself, or import it as a certificate"}
	formHex         = form{"hexadecimal digits", "store base64 text instead, or import the file as a certificate"}
)

// textForm recognizes text by how it begins. It never looks at more of a value than it needs.
func textForm(text []byte) (form, bool) {
	text = bytes.TrimSpace(text)
	begins := func(prefix string) bool {
		return len(text) >= len(prefix) && bytes.EqualFold(text[:len(prefix)], []byte(prefix))
	}
	switch {
	case begins("-----BEGIN PGP "):
		return formPGP, true
	case bytes.Contains(text, []byte(pemBegin)):
		return formPEM, true
	case begins("ssh-"), begins("ecdsa-sha2-"), begins("---- BEGIN SSH2 "):
		return formSSH, true
	case begins("{"), begins("["):
		return jsonForm(text), true
	case begins("<!doctype html"), begins("<html"):
		return formHTML, true
	case begins("<"):
		return formXML, true
	case begins(`"`), begins("'"):
		return formQuoted, true
	case begins("http://"), begins("https://"):
		return formURL, true
	case bytes.Contains(text, []byte("BEGIN CERTIFICATE")), bytes.Contains(text, []byte("PRIVATE KEY")):
		return formDashes, true
	case begins("@"), begins("./"), begins("/") && !isBase64(text), isDrivePath(text):
		return formPath, true
	case len(text) > 64 && len(bytes.Trim(text, "0123456789abcdefABCDEF \r\n")) == 0:
		return formHex, true
	}
	return form{}, false
}

func isDrivePath(text []byte) bool { return len(text) > 2 && text[1] == ':' && text[2] == '\\' }

func isBase64(text []byte) bool {
	der, ok := decodeBase64(bytes.Clone(text))
	clear(der)
	return ok
}

// jsonForm tells from other JSON the form in which templates of Service Fabric and of virtual machines had certificates as
// secrets before Key Vault had certificates: {"data": base64 of a PFX, "dataType": "pfx", "password": …}.
func jsonForm(text []byte) form {
	var wrapper map[string]json.RawMessage
	defer func() {
		for _, raw := range wrapper {
			clear(raw)
		}
	}()
	if json.Unmarshal(text, &wrapper) != nil || wrapper["data"] == nil || wrapper["dataType"] == nil && wrapper["password"] == nil {
		return formJSON
	}
	if password := string(wrapper["password"]); password == "" || password == `""` || password == "null" {
		return formWrapper
	}
	return formWrapperLock
}

// errNotPEM explains a value without a PEM block, and errNotCertificates one that is neither PEM nor certificates in base64.
func errNotPEM(value []byte) error {
	if form, what, known := formBelow(value); known {
		return wrongForm(ContentTypePEM, what, form.remedy)
	}
	return malformed("the secret's content type is %s, but its value has no PEM block: if it is a PFX, set the content "+
		"type %s", ContentTypePEM, ContentTypePFX)
}

// formBelow names a text or what it is the base64 text of, through as many layers as a script may have put around it.
func formBelow(text []byte) (f form, what string, known bool) {
	if f, known = textForm(text); known {
		return f, f.what, true
	}
	der, ok := decodeBase64(bytes.Clone(text))
	defer clear(der)
	if !ok {
		return form{}, "", false
	}
	if f, known = formOf(der); known {
		return f, "base64 of " + f.what, true
	}
	again, ok := decodeBase64(bytes.Clone(der))
	defer clear(again)
	if f, known = formOf(again); ok && known {
		return f, "base64 of base64 of " + f.what, true
	}
	return form{}, "", false
}
