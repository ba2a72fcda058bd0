package bundle

// maxNesting is deeper than any PKCS#7 structure is nested on the way to its certificates and beside it.
const maxNesting = 64

// berElement is an element in BER (X.690, section 8.1), of which DER is a part: its whole, and what is in it.
type berElement struct {
	tag            byte
	whole, content []byte
}

// readBER reads the first element. One whose length is left open ends where its content does, which has to be looked for; this
// takes a time that grows with the size, as each byte is looked at once.
func readBER(data []byte) (element berElement, rest []byte, ok bool) { return readBERAt(data, 0) }

func readBERAt(data []byte, depth int) (element berElement, rest []byte, ok bool) {
	const openLength, longTag = 0x80, 0x1f
	if len(data) < 2 || data[0]&longTag == longTag || depth > maxNesting {
		return element, nil, false
	}
	element.tag = data[0]
	if data[1] != openLength {
		size, whole := elementSize(data)
		if !whole {
			return element, nil, false
		}
		element.whole, element.content = data[:size], data[headerSize(data):size]
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
	element.whole, element.content = data[:end+2], data[2:end]
	return element, rest[2:], true
}

// elementsIn returns the elements of a content, and whether it holds nothing else.
func elementsIn(content []byte) (elements []berElement, ok bool) {
	for len(content) > 0 {
		var element berElement
		if element, content, ok = readBER(content); !ok {
			return elements, false
		}
		elements = append(elements, element)
	}
	return elements, true
}
