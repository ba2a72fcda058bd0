// Package directory is the certificate store over files: the store of Linux nodes, of development and of the demo. It
// keeps every promise of certstore.Store.
//
// A certificate is <root>/<location>/<STORE>/<THUMBPRINT>.pem, with a few lines before its PEM block that say what Windows
// keeps in properties. Its private key is beside it in <THUMBPRINT>.key, PKCS #8. Both can be read by their owner only.
// Whether a key is exportable means nothing to files, and the key storage provider neither; the mark remembers both. Who may
// use a key is remembered and not done: a key is its owner's alone, and accounts are refused, see Machine.
package directory
