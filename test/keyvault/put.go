package keyvault

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
	"time"
)

// pooledKeys is how many keys the certificates of PutMany share.
const pooledKeys = 8

// Made is a certificate that was put into a vault.
type Made struct {
	// Version is the secret's version, 32 hex digits.
	Version string `json:"version"`
	// Thumbprint is the leaf's SHA-1 in upper-case hex.
	Thumbprint string `json:"thumbprint"`
}

// Put makes a certificate with a new key and stores it as the secret's latest version.
func (v *Vault) Put(name string, o CertificateOptions) (Made, error) {
	private, err := o.KeyType.generate()
	if err != nil {
		return Made{}, fmt.Errorf("making a key for %s: %w", name, err)
	}
	one, err := v.issue(name, o, private)
	if err != nil {
		return Made{}, err
	}
	return v.store(name, o, one)
}

// PutMany makes certificates named PREFIX-0000 and so on, which share a few keys, since making RSA keys takes long. Their
// serial numbers and thumbprints all differ.
func (v *Vault) PutMany(prefix string, count int, o CertificateOptions) ([]Made, error) {
	keys, err := pool.take(o.KeyType, min(count, pooledKeys))
	if err != nil {
		return nil, fmt.Errorf("making keys for %s: %w", prefix, err)
	}
	made := make([]Made, count)
	err = inParallel(count, func(i int) error {
		name := fmt.Sprintf("%s-%04d", prefix, i)
		one, err := v.issue(name, o, keys[i%len(keys)])
		if err != nil {
			return err
		}
		made[i], err = v.store(name, o, one)
		return err
	})
	return made, err
}

// Rotate makes a new version of a certificate, with the options of the one before and a new key. Explicit dates stay
// the same.
func (v *Vault) Rotate(name string) (Made, error) {
	options, err := v.optionsOf(name)
	if err != nil {
		return Made{}, fmt.Errorf("rotating %s: %w", name, err)
	}
	return v.Put(name, options)
}

func (v *Vault) optionsOf(name string) (CertificateOptions, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, err := v.present(name)
	if err != nil {
		return CertificateOptions{}, err
	}
	if !found.latest().managed {
		return CertificateOptions{}, errors.New("it is not a certificate")
	}
	return found.options, nil
}

// SetSecret stores any value as the secret's latest version and returns that version. It fails if the secret is deleted.
func (v *Vault) SetSecret(name, contentType, value string) (string, error) {
	made, err := v.store(name, CertificateOptions{}, &version{contentType: contentType, value: value})
	return made.Version, err
}

// PutRaw is SetSecret for a secret that is not deleted; it panics otherwise.
func (v *Vault) PutRaw(name, contentType, value string) string {
	id, err := v.SetSecret(name, contentType, value)
	if err != nil {
		panic("keyvault: " + err.Error())
	}
	return id
}

func (v *Vault) issue(name string, o CertificateOptions, private crypto.Signer) (*version, error) {
	issuers, err := v.server.issuers()
	if err != nil {
		return nil, fmt.Errorf("making the certificates' root: %w", err)
	}
	return issuers.make(o.withDefaults(name), private)
}

// store adds a version and tells the watchers of new versions.
func (v *Vault) store(name string, o CertificateOptions, one *version) (Made, error) {
	if err := v.add(name, o, one); err != nil {
		return Made{}, err
	}
	v.server.announce(NewVersion{
		Vault: v, Name: name, Version: one.id, Certificate: one.managed, NotBefore: one.notBefore, Expires: one.expires,
	})
	return Made{Version: one.id, Thumbprint: one.thumbprint}, nil
}

func (v *Vault) add(name string, o CertificateOptions, one *version) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	into, ok := v.secrets[key(name)]
	if !ok {
		into = &secret{name: name}
		v.secrets[key(name)] = into
	}
	if into.deleted {
		return fmt.Errorf("putting %s: it is deleted but recoverable, and its name is taken", name)
	}
	into.options = o
	into.add(one)
	return nil
}

// change changes a version of a secret that is not deleted.
func (v *Vault) change(name, id string, change func(*version)) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	in, err := v.present(name)
	if err != nil {
		return fmt.Errorf("changing %s: %w", name, err)
	}
	found, err := in.find(id)
	if err != nil {
		return fmt.Errorf("changing %s: %w", name, err)
	}
	change(found)
	found.updated = time.Now().Truncate(time.Second)
	return nil
}

func (v *Vault) setDeleted(name string, deleted bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, ok := v.secrets[key(name)]
	if !ok {
		return fmt.Errorf("the vault %s has no secret %s", v.name, name)
	}
	found.deleted = deleted
	return nil
}

// present returns a secret that is not deleted. The caller holds the lock.
func (v *Vault) present(name string) (*secret, error) {
	found, ok := v.secrets[key(name)]
	switch {
	case !ok:
		return nil, fmt.Errorf("the vault %s has no secret %s", v.name, name)
	case found.deleted:
		return nil, fmt.Errorf("the secret %s is deleted", name)
	}
	return found, nil
}

func key(name string) string { return strings.ToLower(name) }
