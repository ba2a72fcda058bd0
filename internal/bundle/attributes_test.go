package bundle

import (
	"encoding/asn1"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const enhanced = "Microsoft Enhanced RSA and AES Cryptographic Provider"

// named holds the attributes that the tests compare.
type named struct{ FriendlyName, ProviderName string }

func TestFriendlyNameAndProviderComeFromThePFXOfOtherPrograms(t *testing.T) {
	for name, want := range map[string]named{
		"openssl-provider":      {"Größe – web", enhanced},
		"openssl-modern":        {"leaf", ""},
		"openssl-legacy":        {"leaf", ""},
		"openssl-3des":          {"leaf", ""},
		"openssl-plain":         {"leaf", ""},
		"openssl-plain-nomac":   {"leaf", ""},
		"openssl-nokeys":        {"", ""},
		"java-empty":            {"leaf", ""},
		"java-null":             {"leaf", ""},
		"java-truststore":       {"intermediate", ""},
		"openssl-nomac":         {"leaf", ""},
		"openssl-sha384":        {"leaf", ""},
		"openssl-nokeys-legacy": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePFX, text(file(t, name+".pfx")), moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, named{b.FriendlyName, b.ProviderName}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// oidBitLength is CERT_SUBJECT_PUB_KEY_BIT_LENGTH_PROP_ID as an attribute, which Windows writes with extended properties.
var oidBitLength = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 17, 3, 92}

func TestFriendlyNameIsTheLeafsAndTheProviderTheKeys(t *testing.T) {
	f := newFamily(t, newEC())
	leaf, root, key := certBag(f.leaf), certBag(f.root), keyBag(f.leaf.key)
	name := func(bag []byte, name string) []byte { return with(bag, attr(oidFriendlyName, bmp(name))) }
	provider := attr(oidProvider, bmp(enhanced))
	windows := attr(oidBitLength, wrap(tagOctetString, []byte{0, 1, 0, 0}))
	sealed := func(bags ...[]byte) []byte { return sealedSafe(1, wrap(tagSequence, bags...)) }
	for name, test := range map[string]struct {
		der  []byte
		want named
	}{
		"no attributes": {pfxOf(plainSafe(leaf, key)), named{"", ""}},
		"not those of other bags": {pfxOf(plainSafe(name(root, "root"), with(leaf, provider), name(key, "container"))),
			named{"", ""}},
		"not encrypted": {pfxOf(plainSafe(name(root, "root"), name(leaf, "web"), with(key, provider))), named{"web", enhanced}},
		"encrypted": {pfxOf(plainSafe(with(key, provider)), sealed(name(root, "root"), name(leaf, "web"))),
			named{"web", enhanced}},
		"encrypted with an absent password": {pfxWithAbsentPassword(plainSafe(with(key, provider)), sealed(name(leaf, "web"))), named{"web", enhanced}},
		"one safe of several":               {pfxOf(sealed(name(root, "root")), sealed(name(leaf, "web")), plainSafe(key)), named{"web", ""}},
		"the first of two":                  {pfxOf(plainSafe(key, leaf, name(leaf, "web")), sealed(name(leaf, "other"))), named{"web", ""}},
		"Windows' attributes hide nothing in an encrypted safe": {pfxOf(plainSafe(key), sealed(with(leaf, windows, attr(oidFriendlyName, bmp("web"))))),
			named{"web", ""}},
		"Windows' attributes hide nothing elsewhere": {pfxOf(plainSafe(with(leaf, windows, attr(oidFriendlyName, bmp("web"))), with(key, windows, provider))),
			named{"web", enhanced}},
		"outside UCS-2": {pfxOf(plainSafe(name(leaf, "🔒 web"), key)), named{"🔒 web", ""}},
		"cleaned": {pfxOf(plainSafe(name(leaf, "\x00web\r\nsite\x1b[31m\x00"), with(key, attr(oidProvider, bmp(enhanced+"\x00"))))),
			named{"web  site[31m", enhanced}},
		"cleaned in an encrypted safe": {pfxOf(plainSafe(key), sealed(name(leaf, "web\u202esite"))), named{"website", ""}},
		"an attribute without value":   {pfxOf(plainSafe(with(leaf, attr(oidFriendlyName)), with(key, attr(oidProvider)))), named{"", ""}},
		"a value of another type": {pfxOf(plainSafe(with(leaf, attr(oidFriendlyName, wrap(tagOctetString, []byte("web")))), key)),
			named{"", ""}},
		"an incomplete character":          {pfxOf(plainSafe(with(leaf, attr(oidFriendlyName, wrap("\x1e", []byte("\x00w\x00e\x00b\x00")))), key)), named{"web", ""}},
		"only white space is none":         {pfxOf(plainSafe(name(leaf, " \t\n"), key)), named{"", ""}},
		"without a key, of the end entity": {pfxOf(plainSafe(name(root, "root"), name(leaf, "web"), certBag(f.intermediate))), named{"web", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePFX, text(test.der), moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, named{b.FriendlyName, b.ProviderName}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAttributesDoNotHideDamage(t *testing.T) {
	f := newFamily(t, newEC())
	bag := wrap(tagSequence, []byte(derCertBag), wrap(tagExplicit0, []byte(derNull)), wrap(tagSet, attr(oidFriendlyName, bmp("web"))))
	_, err := Parse(ContentTypePFX, text(pfxOf(plainSafe(keyBag(f.leaf.key), certBag(f.leaf), bag))), moment)
	wantError(t, err, MalformedSecret, "cannot be read")
}
