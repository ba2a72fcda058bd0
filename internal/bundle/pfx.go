package bundle

import (
	"github.com/vaultpane/vaultpane/internal/bundle/pkcs12"
	"github.com/vaultpane/vaultpane/internal/bundle/privatekey"
	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// readPFX reads the base64 text of a PFX (RFC 7292) with a blank password, also inside the PEM that certutil -encode writes.
func (c *contents) readPFX(value []byte) error {
	der, err := unwrapPFX(value)
	defer clear(der)
	if err != nil {
		return err
	}
	file, err := pkcs12.Open(der)
	if err != nil {
		return err
	}
	defer file.Wipe()
	return file.Bags(c.addBag)
}

// addBag adds a certificate or a key, and skips other bags, such as revocation lists.
func (c *contents) addBag(bag pkcs12.Bag) error {
	switch {
	case bag.HasCertificate():
		return c.addCertBag(bag)
	case bag.HasKey():
		return c.addKeyBag(bag)
	}
	return nil
}

// addCertBag adds a certificate and its friendly name.
func (c *contents) addCertBag(bag pkcs12.Bag) error {
	c.read++
	der, err := bag.Certificate(c.read)
	if err != nil {
		return err
	}
	certificate, err := x509cert.Read(der)
	if err != nil {
		return x509cert.Unreadable("the PFX", c.read, der)
	}
	c.addName(string(der), bag.FriendlyName())
	return c.addCertificate(certificate)
}

// addKeyBag adds a key and the name of its provider.
func (c *contents) addKeyBag(bag pkcs12.Bag) error {
	if c.key != nil {
		return errSeveralKeys()
	}
	c.provider = bag.ProviderName()
	return bag.Key(c.addKeyDER)
}

func (c *contents) addKeyDER(der []byte) error {
	key, err := privatekey.Parse(der)
	if err != nil {
		return err
	}
	return c.addKey(key)
}
