package pkcs12

import "encoding/asn1"

// MaxIterations bounds the sum of a PFX's iteration counts: without it, one number in a PFX could keep a processor busy
// forever. OpenSSL and Windows write 2,000 per key or safe, Java 10,000, Firefox and NSS 600,000, three times in a file. This
// many take about a second, or two if both forms of a blank password are tried.
const MaxIterations = 2_000_000

// maxDepth is deeper than any iteration count in the elements that are read; that of PBMAC1 is the deepest, in the seventh.
const maxDepth = 16

// iterationsIn returns the sum of the iteration counts in DER, or some number above MaxIterations. In PKCS#12 a count always
// follows its salt: in MacData (RFC 7292, section 4), PKCS-12PbeParams (appendix C) and PBKDF2-params (RFC 8018, appendix A.2),
// which PBMAC1 also uses. So every INTEGER after an OCTET STRING is counted. The class of a tag is ignored, because a reader
// may not check that of a salt.
func iterationsIn(der []byte) int { return iterationsAt(0, der) }

func iterationsAt(depth int, der []byte) int {
	sum, afterSalt := 0, false
	for len(der) > 0 && depth < maxDepth {
		var element asn1.RawValue
		rest, err := asn1.Unmarshal(der, &element)
		if err != nil {
			break
		}
		if element.IsCompound {
			sum = addIterations(sum, iterationsAt(depth+1, element.Bytes))
		} else if afterSalt && element.Tag == asn1.TagInteger {
			sum = addIterations(sum, count(element.Bytes))
		}
		afterSalt = element.Tag == asn1.TagOctetString
		der = rest
	}
	return sum
}

// addIterations adds without overflow: the exact sum above MaxIterations does not matter.
func addIterations(a, b int) int { return min(a+b, MaxIterations+1) }

// count reads an INTEGER's octets. A negative count is one iteration, like 0 and 1.
func count(octets []byte) int {
	if len(octets) == 0 || octets[0] >= 0x80 {
		return 0
	}
	n := 0
	for _, octet := range octets {
		n = min(n<<8|int(octet), MaxIterations+1)
	}
	return n
}
