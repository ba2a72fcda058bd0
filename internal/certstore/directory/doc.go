// Package directory implements certstore.Store with files: for Linux nodes, development and the demo.
//
// A certificate is <root>/<location>/<STORE>/<THUMBPRINT>.pem. Lines before its PEM block contain what Windows keeps in properties.
// Its private key is in <THUMBPRINT>.key next to it, as PKCS #8. Both are readable by their owner only. Key options
// (exportable, key storage provider) have no effect on files; the mark keeps them. The access list of a key is kept and not
// applied: only the file's owner can read the key, and accounts have no security identifier here, see Machine.
package directory
