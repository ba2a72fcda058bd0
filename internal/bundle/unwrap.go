package bundle

import (
	"bytes"
	"encoding/base64"
)

// maxLayers bounds how often a PFX may be wrapped: PEM around base64 of base64 is what certutil -encode makes of a file that
// was encoded before, and az keyvault secret set --encoding base64 adds a layer.
const maxLayers = 4

// unwrapPFX takes base64 and lines of BEGIN and END off a value until there is DER, which the caller overwrites, also after an
// error. certutil -encode writes "BEGIN CERTIFICATE" around any file, a PFX included, so what is inside decides.
func unwrapPFX(value []byte) ([]byte, error) {
	layer, text := value, asASCII(value)
	for depth := range maxLayers {
		inner, err := unwrapOnce(text, depth)
		clear(layer)
		if err != nil {
			return inner, err
		}
		layer, text = inner, asASCII(inner)
		if !isText(text) {
			return inner, nil
		}
	}
	clear(layer)
	return nil, malformed("the value is base64 of base64, more than %d times: store the PFX as base64 text once", maxLayers)
}

// unwrapOnce takes one layer off. Its errors name the value by what stands at this depth.
func unwrapOnce(text []byte, depth int) ([]byte, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte(pemBegin)) {
		return unwrapPEM(text, depth)
	}
	if f, known := textForm(text); known {
		return nil, wrongForm(ContentTypePFX, encodedTimes(depth)+f.what, f.remedy)
	}
	der, ok := decodeBase64(text)
	if !ok {
		clear(der)
		return nil, malformed("the secret's content type is %s, but its value is not base64: store the PFX as base64 text or "+
			"import it as a certificate", ContentTypePFX)
	}
	return der, nil
}

// unwrapPEM returns what is in a single block if it is a PFX, or text, which is then another layer.
func unwrapPEM(text []byte, depth int) ([]byte, error) {
	if bytes.Count(text, []byte(pemBegin)) == 1 {
		block, _, problem := nextBlock(text)
		if problem == "" && (isPFX(block.der) || isText(block.der)) {
			return block.der, nil
		}
		clear(block.der)
	}
	if f, known := textForm(text); known && f != formPEM {
		return nil, wrongForm(ContentTypePFX, encodedTimes(depth)+f.what, f.remedy)
	}
	if depth > 0 {
		return nil, wrongForm(ContentTypePFX, encodedTimes(depth)+formPEM.what, formPEM.remedy)
	}
	return nil, malformed("the secret's content type is %s, but its value is PEM: set the content type %s",
		ContentTypePFX, ContentTypePEM)
}

func isPFX(der []byte) bool {
	f, known := formOf(der)
	return known && f == formPFX
}

func encodedTimes(depth int) string {
	return string(bytes.Repeat([]byte("base64 of "), depth))
}

// decodeBase64 takes line breaks and blanks out of the text, in place, and decodes it. The caller overwrites the result,
// also when the text is no base64 or empty. It overwrites the rest of the text itself, which is a copy of its end.
func decodeBase64(value []byte) (der []byte, ok bool) {
	defer clear(value)
	text := value[:0]
	for _, b := range value {
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			text = append(text, b)
		}
	}
	der = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(der, text)
	if err != nil || n == 0 {
		return der, false
	}
	return der[:n], true
}

// asASCII takes off a byte order mark, and of text in UTF-16 the zero bytes, in place: PowerShell's Out-File and Windows'
// editors write it. Other values stay as they are.
func asASCII(value []byte) []byte {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff", "\xef\xbf\xbd\xef\xbf\xbd"} {
		if bytes.HasPrefix(value, []byte(mark)) {
			value = value[len(mark):]
			break
		}
	}
	for _, zero := range []int{0, 1} {
		if len(value) < 8 || len(value)%2 != 0 || !isWide(value, zero) {
			continue
		}
		for i := range len(value) / 2 {
			value[i] = value[2*i+1-zero]
		}
		clear(value[len(value)/2:])
		return value[:len(value)/2]
	}
	return value
}

// isWide tells whether every other byte, from this one on, is zero and no other is.
func isWide(value []byte, zero int) bool {
	for i, b := range value {
		if (i%2 == zero) != (b == 0) {
			return false
		}
	}
	return true
}
