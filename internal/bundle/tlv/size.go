package tlv

// Size returns the size of the first element with its header, 0 if it has no definite length, and reports whether all of it is
// present.
func Size(der []byte) (size int, whole bool) {
	header := headerSize(der)
	if header == 0 {
		return 0, false
	}
	length := int(der[1])
	if header > 2 {
		length = 0
		for _, octet := range der[2:header] {
			length = length<<8 | int(octet)
		}
	}
	return header + length, header+length <= len(der)
}

// headerSize returns the size of an identifier octet and a length of at most 2^24 (X.690, section 8.1.3), or 0.
func headerSize(der []byte) int {
	switch {
	case len(der) < 2:
		return 0
	case der[1] < 0x80:
		return 2
	case der[1] == 0x80 || der[1] > 0x83 || len(der) < 2+int(der[1]&0x7f):
		return 0
	}
	return 2 + int(der[1]&0x7f)
}

// Content returns the content of the first element, as far as it is present.
func Content(der []byte) []byte {
	size, whole := Size(der)
	if size == 0 {
		return nil
	}
	if whole {
		der = der[:size]
	}
	return der[headerSize(der):]
}

// First returns the first element if all of it is present, and otherwise der itself.
func First(der []byte) []byte {
	if size, whole := Size(der); whole {
		return der[:size]
	}
	return der
}
