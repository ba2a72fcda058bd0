// Command store is a server of TLS with a certificate of LocalMachine\My and its key in CNG, which it finds with a library that is not
// Vaultpane's. It is a module of its own, so that the product does not have the library.
package main

import (
	"crypto/sha1"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/google/certtostore"
)

func main() {
	if len(os.Args) != 4 || os.Args[1] != "serve" {
		fmt.Println("usage: store serve ADDRESS COMMON-NAME")
		os.Exit(2)
	}
	fmt.Println("store:", serve(os.Args[2], os.Args[3]))
	os.Exit(1)
}

// serve looks for the certificate of a name before each connection, until it fails.
func serve(address, name string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("store: serves")
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		err = answer(connection, name)
		fmt.Println("store: a connection:", err)
	}
}

// answer serves one connection: a line from the client, and one to it.
func answer(connection net.Conn, name string) (err error) {
	defer func() { err = errors.Join(err, connection.Close()) }()
	found, release, err := find(name)
	if err != nil {
		return err
	}
	defer release()
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	server := tls.Server(connection, &tls.Config{Certificates: []tls.Certificate{found}})
	if _, err := server.Read(make([]byte, 256)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(server, "served by %X\n", sha1.Sum(found.Certificate[0])); err != nil {
		return err
	}
	return server.Close()
}

// find finds a certificate, its chain up to the root, and its key. The caller releases it after its use.
func find(name string) (found tls.Certificate, release func(), err error) {
	store, err := certtostore.OpenWinCertStore(certtostore.ProviderMSSoftware, "", nil, nil, false)
	if err != nil {
		return found, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	leaf, context, chains, err := store.CertByCommonName(name)
	if err != nil {
		return found, nil, err
	}
	defer func() { err = errors.Join(err, certtostore.FreeCertContext(context)) }()
	if leaf.Subject.CommonName != name || len(chains) == 0 {
		return found, nil, fmt.Errorf("found %q with %d chains", leaf.Subject, len(chains))
	}
	for _, one := range chains[0] {
		found.Certificate = append(found.Certificate, one.Raw)
	}
	// The library's own way from the certificate to its key is CryptAcquireCertificatePrivateKey, which finds no key in CNG under Wine.
	keys, err := certtostore.OpenWinCertStore(certtostore.ProviderMSSoftware, fmt.Sprintf("vaultpane-%X", sha1.Sum(leaf.Raw)), nil, nil, false)
	if err != nil {
		return found, nil, err
	}
	key, err := keys.Key()
	if err != nil {
		return found, nil, errors.Join(err, keys.Close())
	}
	found.PrivateKey, found.Leaf = key, leaf
	return found, func() { _ = keys.Close() }, nil // nothing follows from it
}
