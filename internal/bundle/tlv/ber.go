package tlv

// maxNesting is deeper than any PKCS#7 structure is nested around its certificates and in its other parts.
const maxNesting = 64

// Element is an element in BER (X.690, section 8.1), of which DER is a subset.
type Element struct {
	// Tag is the identifier octet.
	Tag byte
	// Whole is the element with its header.
	Whole []byte
	// Content is the element without its header.
	Content []byte
}

// ReadBER reads the first element. An element of indefinite length ends where its content does, which has to be found; the time
// for this is linear, since each byte is read once.
func ReadBER(data []byte) (element Element, rest []byte, ok bool) { return readBERAt(data, 0) }

func readBERAt(data []byte, depth int) (element Element, rest []byte, ok bool) {
	const indefinite, longTag = 0x80, 0x1f
	if len(data) < 2 || data[0]&longTag == longTag || depth > maxNesting {
		return element, nil, false
	}
	element.Tag = data[0]
	if data[1] != indefinite {
		size, whole := Size(data)
		if !whole {
			return element, nil, false
		}
		element.Whole, element.Content = data[:size], data[headerSize(data):size]
		return element, data[size:], true
	}
	rest = data[2:]
	for len(rest) >= 2 && (rest[0] != 0 || rest[1] != 0) {
		if _, rest, ok = readBERAt(rest, depth+1); !ok {
			return element, nil, false
		}
	}
	if len(rest) < 2 {
		return element, nil, false
	}
	end := len(data) - len(rest)
	element.Whole, element.Content = data[:end+2], data[2:end]
	return element, rest[2:], true
}

// Elements returns the elements of a content, and reports whether it holds nothing else.
func Elements(content []byte) (elements []Element, ok bool) {
	for len(content) > 0 {
		var element Element
		if element, content, ok = ReadBER(content); !ok {
			return elements, false
		}
		elements = append(elements, element)
	}
	return elements, true
}
