// Package pkcs12 reads a PFX (PKCS#12, RFC 7292) with a blank password. Unlike other decoders it overwrites every buffer that
// held a key, bounds the iteration counts before it decrypts anything, and reads friendly names and providers. Of the other
// packages below internal/bundle it imports failure, form, privatekey and tlv.
package pkcs12
