package bundle

// Identifier octets and object identifiers in DER (X.690, sections 8.1.2 and 8.19).
const (
	tagObjectIdentifier = "\x06"
	tagSequence         = "\x30"
	tagExplicit0        = "\xa0"
	tagExplicit1        = "\xa1"

	// derSignedData is PKCS#7's signedData (RFC 5652, section 5.1).
	derSignedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
)
