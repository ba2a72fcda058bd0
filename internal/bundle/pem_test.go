package bundle

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/bundle/privatekey"
)

func TestPEMIsReadInEveryForm(t *testing.T) {
	f := newFamily(t, newEC())
	sec1 := must(x509.MarshalECPrivateKey(f.leaf.key.(*ecdsa.PrivateKey)))
	parameters := block("EC PARAMETERS", []byte(derP256))
	rsaLeaf := issue(t, "leaf", newRSA(2048), f.intermediate, nil)
	pkcs1 := x509.MarshalPKCS1PrivateKey(newRSA(2048))
	all := certPEM(f.leaf, f.intermediate, f.root)
	crlf := bytes.ReplaceAll(join(keyPEM(f.leaf.key), all), []byte("\n"), []byte("\r\n"))
	for name, value := range map[string][]byte{
		"PKCS#8 first":                join(keyPEM(f.leaf.key), all),
		"PKCS#8 last":                 join(all, keyPEM(f.leaf.key)),
		"SEC1 behind its parameters":  join(parameters, block("EC PRIVATE KEY", sec1), all),
		"PKCS#1":                      join(block("RSA PRIVATE KEY", pkcs1), certPEM(rsaLeaf, f.intermediate, f.root)),
		"PKCS#1 under PKCS#8's label": join(block("PRIVATE KEY", pkcs1), certPEM(rsaLeaf, f.intermediate, f.root)),
		"root first":                  join(certPEM(f.root, f.intermediate, f.leaf), keyPEM(f.leaf.key)),
		"text between the blocks": join([]byte("Bag Attributes\n  friendlyName: x\n"), certPEM(f.root), []byte("subject=x\n\n"),
			keyPEM(f.leaf.key), []byte("# chain\n"), certPEM(f.leaf, f.intermediate), []byte("end")),
		"Windows line breaks":    crlf,
		"a byte order mark":      join([]byte("\xef\xbb\xbf"), keyPEM(f.leaf.key), all),
		"its issuers in PKCS#7":  join(keyPEM(f.leaf.key), certPEM(f.leaf), block("PKCS7", pkcs7Of([]*pair{f.root, f.intermediate}))),
		"an old label":           join(keyPEM(f.leaf.key), block("X509 CERTIFICATE", f.leaf.cert.Raw), certPEM(f.intermediate, f.root)),
		"other blocks are there": join(block("X509 CRL", []byte{1}), keyPEM(f.leaf.key), all, block("PUBLIC KEY", []byte{1})),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePEM, value, moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"leaf", "intermediate", "root"}, names(b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPEMThatCannotBeUsedIsExplained(t *testing.T) {
	f := newFamily(t, newEC())
	_, ed := must2(ed25519.GenerateKey(rand.Reader))
	leaf, key := certPEM(f.leaf), keyPEM(f.leaf.key)
	var many []byte
	for range maxCertificates + 1 {
		many = append(many, certPEM(issue(t, "one of many", f.leaf.key, nil, nil))...)
	}
	for name, test := range map[string]struct {
		value   []byte
		message string
	}{
		"text only":                {[]byte("hello"), "no PEM block"},
		"a heading only":           {[]byte("-----BEGIN CERTIFICATE-----"), "block 1 of the value's 1 PEM blocks cannot be read: it is truncated and has no END line; upload the file"},
		"cut short":                {join(leaf, key[:len(key)/2]), "block 2 of the value's 2 PEM blocks cannot be read: it is truncated"},
		"no certificate":           {key, "holds no certificate"},
		"a certificate cut short":  {join(key, leaf, block("CERTIFICATE", f.root.cert.Raw[:100])), `certificate 2 of the PEM value ("CN=root") cannot be read: it is truncated (100 of `},
		"a certificate of nothing": {join(key, block("CERTIFICATE", nil)), "certificate 1 of the PEM value cannot be read: it is empty"},
		"a key cut short":          {join(leaf, block("PRIVATE KEY", []byte{0x30, 5, 1})), "private key cannot be read"},
		"an OpenSSH key":           {join(leaf, block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1"))), "in the OpenSSH format: convert it (ssh-keygen -p -m PKCS8 -f FILE)"},
		"an Ed25519 key":           {join(leaf, keyPEM(ed)), "is Ed25519"},
		"a key too large to name":  {join(leaf, block("PRIVATE KEY", make([]byte, privatekey.MaxSize+1))), "has 8193 bytes"},
		"RSA 8192":                 {join(leaf, file(t, "rsa-8192.key")), "RSA with 8192 bits"},
		"an encrypted PKCS#8 key":  {join(leaf, block("ENCRYPTED PRIVATE KEY", []byte{1})), "encrypted with a password"},
		"an encrypted older key":   {join(leaf, []byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n")), "encrypted with a password"},
		"two keys":                 {join(key, leaf, keyPEM(newEC())), "several private keys"},
		"PKCS#7 that is damaged":   {join(key, leaf, block("PKCS7", []byte{1})), "PKCS#7 structure cannot be read"},
		"too many certificates":    {join(key, many), "more than 256 certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(ContentTypePEM, bytes.Clone(test.value), moment)
			wantError(t, err, MalformedSecret, test.message)
		})
	}
}
