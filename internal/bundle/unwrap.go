package bundle

import (
	"bytes"

	"github.com/vaultpane/vaultpane/internal/bundle/armor"
	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
)

// maxLayers bounds how often a PFX may be encoded: certutil -encode of an encoded file makes PEM around base64 of base64, and
// az keyvault secret set --encoding base64 adds a layer.
const maxLayers = 4

// unwrapPFX removes base64 and PEM from a value until it is DER, which the caller overwrites, also after an error. certutil
// -encode writes "BEGIN CERTIFICATE" around any file, even a PFX, so the content decides.
func unwrapPFX(value []byte) ([]byte, error) {
	layer, text := value, armor.ToASCII(value)
	for depth := range maxLayers {
		inner, err := unwrapOnce(text, depth)
		clear(layer)
		if err != nil {
			return inner, err
		}
		layer, text = inner, armor.ToASCII(inner)
		if !armor.IsText(text) {
			return inner, nil
		}
	}
	clear(layer)
	return nil, failure.Malformed("the value is encoded in base64 more than %d times: store the PFX as base64 text, encoded once", maxLayers)
}

// unwrapOnce removes one layer. Its errors name what the value is at this depth.
func unwrapOnce(text []byte, depth int) ([]byte, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte(armor.Begin)) {
		return unwrapPEM(text, depth)
	}
	if f, known := form.OfText(text); known {
		return nil, form.Mismatch(ContentTypePFX, encodedTimes(depth)+f.What, f.Remedy)
	}
	der, ok := armor.DecodeBase64(text)
	if !ok {
		clear(der)
		return nil, failure.Malformed("the secret's content type is %s, but its value is not base64: store the PFX as base64 text or "+
			"import it as a certificate", ContentTypePFX)
	}
	return der, nil
}

// unwrapPEM returns the content of a single block if it is a PFX, or text, which is then another layer.
func unwrapPEM(text []byte, depth int) ([]byte, error) {
	if bytes.Count(text, []byte(armor.Begin)) == 1 {
		block, _, damage := armor.NextBlock(text)
		if damage == "" && (isPFX(block.DER) || armor.IsText(block.DER)) {
			return block.DER, nil
		}
		clear(block.DER)
	}
	if f, known := form.OfText(text); known && f != form.PEM {
		return nil, form.Mismatch(ContentTypePFX, encodedTimes(depth)+f.What, f.Remedy)
	}
	if depth > 0 {
		return nil, form.Mismatch(ContentTypePFX, encodedTimes(depth)+form.PEM.What, form.PEM.Remedy)
	}
	return nil, failure.Malformed("the secret's content type is %s, but its value is PEM: set the content type %s",
		ContentTypePFX, ContentTypePEM)
}

func isPFX(der []byte) bool {
	f, known := form.Of(der)
	return known && f == form.PFX
}

func encodedTimes(depth int) string {
	return string(bytes.Repeat([]byte("base64 of "), depth))
}
