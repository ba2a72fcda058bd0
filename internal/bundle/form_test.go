package bundle

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

func newRequest(t testing.TB) []byte {
	t.Helper()
	return must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"a.example"}}, newEC()))
}

// wide returns text in UTF-16 with a byte order mark, as PowerShell writes it.
func wide(text []byte, big bool) []byte {
	var out []byte
	for _, unit := range append([]uint16{0xfeff}, utf16.Encode([]rune(string(text)))...) {
		if big {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return out
}

func TestAPFXIsReadInEveryEncoding(t *testing.T) {
	f := newFamily(t, newEC())
	der := must(pkcs12.LegacyDES.Encode(f.leaf.key, f.root.cert, []*x509.Certificate{f.intermediate.cert, f.leaf.cert}, ""))
	certutil := bytes.ReplaceAll(block("CERTIFICATE", der), []byte("\n"), []byte("\r\n"))
	for name, value := range map[string][]byte{
		"base64":                                   text(der),
		"base64 twice":                             text(text(der)),
		"what certutil -encode writes":             certutil,
		"the same without its last line break":     bytes.TrimRight(certutil, "\r\n"),
		"the same with the line breaks lost":       bytes.ReplaceAll(certutil, []byte("\r\n"), []byte(" ")),
		"under the heading PKCS12":                 block("PKCS12", der),
		"under the heading PFX":                    block("PFX", der),
		"certutil -encode of base64":               block("CERTIFICATE", text(der)),
		"base64 of what certutil -encode writes":   text(certutil),
		"in UTF-16, as PowerShell writes it":       wide(text(der), false),
		"in UTF-16 and PEM":                        wide(certutil, false),
		"in UTF-16 in big-endian order":            wide(certutil, true),
		"base64 of PEM in UTF-16":                  text(wide(certutil, false)),
		"with a byte order mark":                   append([]byte("\xef\xbb\xbf"), text(der)...),
		"base64 with a byte order mark around PEM": text(append([]byte("\xef\xbb\xbf"), certutil...)),
	} {
		t.Run(name, func(t *testing.T) { wantFamily(t, bytes.Clone(value), f.leaf.key) })
	}
}

func TestPEMIsReadAfterChangesByPortalsAndScripts(t *testing.T) {
	f := newFamily(t, newEC())
	value := join(keyPEM(f.leaf.key), certPEM(f.leaf, f.intermediate, f.root))
	replaced := func(by string) []byte { return bytes.ReplaceAll(value, []byte("\n"), []byte(by)) }
	crlf := replaced("\r\n")
	for name, value := range map[string][]byte{
		"Windows' line breaks without the last line feed": crlf[:len(crlf)-1],
		"without the last line break":                     bytes.TrimRight(crlf, "\r\n"),
		"line breaks turned into spaces":                  replaced(" "),
		"line breaks turned into two spaces":              replaced("  "),
		"line breaks turned into nothing":                 replaced(""),
		"line breaks turned into \\n":                     replaced(`\n`),
		"line breaks turned into \\r\\n":                  replaced(`\r\n`),
		"indented, as in YAML":                            replaced("\n    "),
		"line breaks of old Macintoshes":                  replaced("\r"),
		"in UTF-16":                                       wide(value, false),
		"in UTF-16 in big-endian order":                   wide(value, true),
		"a byte order mark":                               append([]byte("\xef\xbb\xbf"), value...),
		"OpenSSL's trusted certificates": join(keyPEM(f.leaf.key), certPEM(f.leaf),
			block("TRUSTED CERTIFICATE", append(bytes.Clone(f.intermediate.cert.Raw), trust()...)), block("TRUSTED CERTIFICATE", f.root.cert.Raw)),
		"a request in addition to the certificates":    join(block("CERTIFICATE REQUEST", newRequest(t)), value),
		"a public key in addition to the certificates": join(block("PUBLIC KEY", f.leaf.cert.RawSubjectPublicKeyInfo), value),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePEM, bytes.Clone(value), moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"leaf", "intermediate", "root"}, names(b)); diff != "" || !b.HasKey() {
				t.Errorf("key: %v, %s", b.HasKey(), diff)
			}
		})
	}
}

// trust is what OpenSSL appends to a certificate that is trusted for TLS servers (X509_CERT_AUX).
func trust() []byte { return wrap(tagSequence, wrap(tagSequence, oid(1, 3, 6, 1, 5, 5, 7, 3, 1))) }

func TestOtherFormsAreNamedWithTheirRemedy(t *testing.T) {
	f := newFamily(t, newEC())
	secret := "correct-horse-battery"
	pfx := must(pkcs12.Modern.Encode(f.leaf.key, f.leaf.cert, nil, ""))
	wrapper := func(password any) []byte {
		return must(json.Marshal(map[string]any{"data": string(text(pfx)), "dataType": "pfx", "password": password}))
	}
	pkcs8 := must(x509.MarshalPKCS8PrivateKey(f.leaf.key))
	for name, test := range map[string]struct {
		contentType string
		value       []byte
		message     string
	}{
		"base64 of PEM as a PFX":               {ContentTypePFX, text(certPEM(f.leaf)), "content type is application/x-pkcs12, but its value is base64 of PEM text: store the PEM text itself under the content type application/x-pem-file (az keyvault secret set --file"},
		"base64 of several blocks as a PFX":    {ContentTypePFX, text(join(keyPEM(f.leaf.key), certPEM(f.leaf))), "its value is base64 of PEM text: store the PEM text itself"},
		"base64 of PEM as PEM":                 {ContentTypePEM, text(certPEM(f.leaf)), "content type is application/x-pem-file, but its value is base64 of PEM text: store the PEM text itself"},
		"base64 of base64 of PEM as PEM":       {ContentTypePEM, text(text(certPEM(f.leaf))), "its value is base64 of base64 of PEM text: store the PEM text itself"},
		"PEM as a PFX":                         {ContentTypePFX, certPEM(f.leaf), "its value is PEM: set the content type application/x-pem-file"},
		"a PFX as PEM":                         {ContentTypePEM, text(pfx), "its value is base64 of a PFX: set the content type application/x-pkcs12"},
		"certutil's PFX as PEM":                {ContentTypePEM, block("CERTIFICATE", pfx), "its value is a PFX under the heading of PEM (certutil -encode): set the content type application/x-pkcs12"},
		"base64 of a PFX five times":           {ContentTypePFX, text(text(text(text(text(pfx))))), "encoded in base64 more than 4 times: store the PFX as base64 text, encoded once"},
		"a certificate in DER as a PFX":        {ContentTypePFX, text(f.leaf.cert.Raw), "base64 of a certificate in DER (.cer), which has no private key: import the PFX that has the key as well; to trust this certificate, set the content type application/pkix-cert"},
		"a certificate in DER as PEM":          {ContentTypePEM, text(f.leaf.cert.Raw), "base64 of a certificate in DER (.cer), which has no private key"},
		"PKCS#7 as a PFX":                      {ContentTypePFX, text(pkcs7Of([]*pair{f.root})), "base64 of PKCS#7 (.p7b), which has no private key: import the PFX that has the key as well; to trust these certificates, set the content type application/pkcs7-mime"},
		"PKCS#7 in BER as a PFX":               {ContentTypePFX, text(openPKCS7([]*pair{f.root})), "base64 of PKCS#7 (.p7b)"},
		"PKCS#7 as PEM":                        {ContentTypePEM, text(pkcs7Of([]*pair{f.root})), "base64 of PKCS#7 (.p7b)"},
		"a request as a PFX":                   {ContentTypePFX, text(newRequest(t)), "base64 of a certificate request (CSR): have a certificate authority sign it, and import the certificate with the key of the request"},
		"a request in PEM":                     {ContentTypePEM, block("CERTIFICATE REQUEST", newRequest(t)), "holds no certificate, only a certificate request (CSR): have a certificate authority sign it"},
		"an older heading of requests":         {ContentTypePEM, join(block("NEW CERTIFICATE REQUEST", newRequest(t)), keyPEM(f.leaf.key)), "holds no certificate, only a certificate request (CSR)"},
		"a request as a certificate":           {ContentTypePEM, block("CERTIFICATE", newRequest(t)), "block CERTIFICATE 1 of the PEM value holds a certificate request (CSR), not a certificate"},
		"a request as certificates":            {ContentTypePKCS7, text(newRequest(t)), "content type is for certificates, but its value is base64 of a certificate request (CSR)"},
		"a key as certificates":                {ContentTypeCertificate, text(pkcs8), "base64 of a private key without a certificate: import the PFX that has both"},
		"a key as a PFX":                       {ContentTypePFX, text(pkcs8), "base64 of a private key without a certificate"},
		"an encrypted key as a PFX":            {ContentTypePFX, text(wrap(tagSequence, pbes2(1), wrap(tagOctetString, make([]byte, 16)))), "base64 of a private key that is encrypted with a password: import the PFX that has certificate and key"},
		"a public key as a PFX":                {ContentTypePFX, text(f.leaf.cert.RawSubjectPublicKeyInfo), "base64 of a public key: import the certificate with its private key"},
		"a public key in PEM":                  {ContentTypePEM, block("PUBLIC KEY", f.leaf.cert.RawSubjectPublicKeyInfo), "holds no certificate, only a public key"},
		"a revocation list in PEM":             {ContentTypePEM, block("X509 CRL", list(f.root)), "holds no certificate, only a certificate revocation list (CRL)"},
		"a revocation list as a PFX":           {ContentTypePFX, text(list(f.root)), "base64 of a certificate revocation list (CRL)"},
		"a Java key store":                     {ContentTypePFX, text([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02")), "base64 of a Java key store (JKS): convert it (keytool -importkeystore -srckeystore FILE -destkeystore NEW.pfx -deststoretype PKCS12)"},
		"a Java key store of the other kind":   {ContentTypePEM, text([]byte("\xce\xce\xce\xce\x00\x00\x00\x02")), "base64 of a Java key store (JKS)"},
		"a gzip archive":                       {ContentTypePFX, text([]byte("\x1f\x8b\x08\x00")), "base64 of a gzip archive: unpack it"},
		"OpenPGP as PEM":                       {ContentTypePEM, []byte("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==\n-----END PGP PRIVATE KEY BLOCK-----\n"), "holds an OpenPGP message or key: decrypt it if it is a message, and import the PFX"},
		"OpenPGP as a PFX":                     {ContentTypePFX, []byte("-----BEGIN PGP MESSAGE-----\n\nlQ==\n=abcd\n-----END PGP MESSAGE-----\n"), "its value is an OpenPGP message or key"},
		"OpenPGP with a checksum as PEM":       {ContentTypePEM, []byte("-----BEGIN PGP MESSAGE-----\nVersion: 1\n\nlQ==\n=abcd\n-----END PGP MESSAGE-----\n"), "an OpenPGP message or key"},
		"a public key for SSH":                 {ContentTypePEM, []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI a@b"), "its value is a public key for SSH: import the certificate with its private key"},
		"a private key for SSH as a PFX":       {ContentTypePFX, block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00")), "its value is PEM: set the content type"},
		"an HTML page":                         {ContentTypePEM, []byte("<!DOCTYPE html><html><body>Sign in</body></html>"), "its value is an HTML page: download the file again while signed in"},
		"an HTML page as a PFX":                {ContentTypePFX, []byte("\n<HTML><body>Sign in</body></HTML>"), "its value is an HTML page"},
		"base64 of an HTML page":               {ContentTypePFX, text([]byte("<html><body>Sign in</body></html>")), "its value is base64 of an HTML page"},
		"XML as certificates":                  {ContentTypePKCS7, []byte(`<?xml version="1.0"?><a/>`), "its value is XML"},
		"Service Fabric's JSON":                {ContentTypePFX, wrapper(""), "its value is Service Fabric's JSON with a PFX in its field data: decode the field data from base64 into a file and import that as a certificate (az keyvault certificate import --file FILE)"},
		"base64 of Service Fabric's JSON":      {ContentTypePFX, text(wrapper(nil)), "its value is base64 of Service Fabric's JSON with a PFX in its field data: decode"},
		"Service Fabric's JSON and a password": {ContentTypePFX, wrapper(secret), "its value is Service Fabric's JSON with a PFX and its password: decode the field data from base64 into a file and import that as a certificate with the password that the JSON holds"},
		"the same in base64":                   {ContentTypePFX, text(wrapper(secret)), "its value is base64 of Service Fabric's JSON with a PFX and its password"},
		"the same as PEM":                      {ContentTypePEM, text(wrapper(secret)), "its value is base64 of Service Fabric's JSON with a PFX and its password"},
		"other JSON":                           {ContentTypePFX, []byte(`{"kid": "https://a.example/keys/b"}`), "its value is JSON: store only the certificate"},
		"text in quotation marks":              {ContentTypePFX, []byte(`"` + string(text(pfx)) + `"`), "its value is text in quotation marks: store it without them"},
		"the name of a file":                   {ContentTypePFX, []byte(`C:\certificates\web.pfx`), "its value is the name of a file: store the file's content (az keyvault secret set --file FILE)"},
		"the name of a file for a shell":       {ContentTypePEM, []byte(`@web.pem`), "its value is the name of a file"},
		"a URL":                                {ContentTypePFX, []byte("https://example.com"), "its value is a URL: store the certificate itself"},
		"hexadecimal digits":                   {ContentTypePFX, fmt.Appendf(nil, "%x", pfx), "its value is hexadecimal digits: store base64 text instead"},
		"other dashes":                         {ContentTypePEM, bytes.ReplaceAll(certPEM(f.leaf), []byte("-----"), []byte("—–")), "PEM whose dashes before and after BEGIN and END were changed: write five hyphens"},
		"PEM without its dashes as a PFX":      {ContentTypePFX, bytes.ReplaceAll(certPEM(f.leaf), []byte("-----"), nil), "PEM whose dashes before and after BEGIN and END were changed"},
		"a block that is no base64":            {ContentTypePEM, []byte("-----BEGIN CERTIFICATE-----\nMII*\n-----END CERTIFICATE-----\n"), "block 1 of the value's 1 PEM blocks cannot be read: the text between its BEGIN and END lines is not base64; upload the file"},
		"a block with another end":             {ContentTypePEM, bytes.Replace(certPEM(f.leaf), []byte("END CERT"), []byte("END EXTRA CERT"), 1), "its BEGIN and END lines have different labels"},
		"a block that runs into the next":      {ContentTypePEM, join(certPEM(f.leaf)[:300], certPEM(f.root)), "block 1 of the value's 2 PEM blocks cannot be read: it is truncated and has no END line"},
		"a heading without an end":             {ContentTypePEM, []byte("-----BEGIN CERTIFICATE\nMII\n-----END CERTIFICATE-----\n"), "its BEGIN line is incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.contentType, bytes.Clone(test.value), moment)
			wantError(t, err, MalformedSecret, test.message)
			if strings.Contains(err.Error(), secret) {
				t.Error("the password is in the message")
			}
		})
	}
}

// list is a revocation list in DER.
func list(issuer *pair) []byte { return tlv.Content(crl(issuer)) }
