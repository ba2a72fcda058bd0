package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// create creates an ObservedCertificate for a test.
func (w *environment) create(t *testing.T, name, url string, change func(*v1alpha1.ObservedCertificateSpec)) {
	t.Helper()
	certificate := &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.ObservedCertificateSpec{URL: url, PollingIntervalInS: 3600},
	}
	if w.kind == node.Wine {
		certificate.Spec.KeyStorageProvider = v1alpha1.KeyStorageProvider(*providerFlag)
	}
	if change != nil {
		change(&certificate.Spec)
	}
	if err := w.client.Create(t.Context(), certificate); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.delete(t, name) })
}

// drop deletes an ObservedCertificate.
func (w *environment) delete(t *testing.T, name string) {
	t.Helper()
	certificate := &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := w.client.Delete(context.Background(), certificate); client.IgnoreNotFound(err) != nil {
		t.Error(err)
	}
}

// change changes the spec or the annotations of an ObservedCertificate.
func (w *environment) change(t *testing.T, name string, change func(*v1alpha1.ObservedCertificate)) {
	t.Helper()
	await.That(t, "the change is taken", func() (bool, error) {
		var certificate v1alpha1.ObservedCertificate
		if err := w.client.Get(t.Context(), client.ObjectKey{Name: name}, &certificate); err != nil {
			return false, err
		}
		change(&certificate)
		return true, w.client.Update(t.Context(), &certificate)
	})
}

// ask asks for a poll, as `kubectl annotate` does, and returns the value.
func (w *environment) ask(t *testing.T, name string) string {
	t.Helper()
	value := time.Now().UTC().Format(time.RFC3339Nano)
	w.change(t, name, func(certificate *v1alpha1.ObservedCertificate) {
		metav1.SetMetaDataAnnotation(&certificate.ObjectMeta, v1alpha1.RequestedAtAnnotation, value)
	})
	return value
}

// entry is what the node reports of a certificate.
func (w *environment) entry(t *testing.T, name string) (v1alpha1.CertificateEntry, error) {
	var state v1alpha1.NodeCertificateState
	if err := w.client.Get(t.Context(), client.ObjectKey{Name: nodeName}, &state); err != nil {
		return v1alpha1.CertificateEntry{}, err
	}
	for _, entry := range state.Certificates {
		if entry.Name == name {
			return entry, nil
		}
	}
	return v1alpha1.CertificateEntry{}, errors.New("the node does not report it")
}

// installed waits until the node reports a thumbprint for a certificate and nothing wrong with it.
func (w *environment) installed(t *testing.T, name, thumbprint string) {
	t.Helper()
	await.That(t, name+" is reported as installed with "+thumbprint, func() (bool, error) {
		entry, err := w.entry(t, name)
		if err == nil && (entry.Thumbprint != thumbprint || entry.State != v1alpha1.StateInstalled) {
			err = fmt.Errorf("the node reports %+v", entry)
		}
		return err == nil, err
	})
}

// fails waits until the node reports a reason for a certificate, and returns the entry.
func (w *environment) fails(t *testing.T, name string, reason v1alpha1.Reason) v1alpha1.CertificateEntry {
	t.Helper()
	var entry v1alpha1.CertificateEntry
	await.That(t, name+" is reported with "+string(reason), func() (bool, error) {
		var err error
		entry, err = w.entry(t, name)
		if err == nil && entry.Reason != reason {
			err = fmt.Errorf("the node reports %+v", entry)
		}
		return err == nil, err
	})
	return entry
}

// held returns what the machine's store holds for an ObservedCertificate, as a process of its own sees it.
func (w *environment) held(t *testing.T, name string) []node.Certificate {
	t.Helper()
	all, err := w.machine.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var own []node.Certificate
	for _, certificate := range all {
		if certificate.Owner == name && !certificate.Intermediate {
			own = append(own, certificate)
		}
	}
	return own
}

// holds checks that the store holds exactly these thumbprints for an ObservedCertificate, each with its key.
func (w *environment) holds(t *testing.T, name, store string, thumbprints ...string) {
	t.Helper()
	found := map[string]bool{}
	for _, certificate := range w.held(t, name) {
		if !equalFold(certificate.Store, store) {
			continue
		}
		found[certificate.Thumbprint] = true
		if certificate.Key != "Present" {
			t.Errorf("the key of %s %s is %s", name, certificate.Thumbprint, certificate.Key)
		}
	}
	for _, thumbprint := range thumbprints {
		if !found[thumbprint] {
			t.Errorf("%s does not hold %s of %s", store, thumbprint, name)
		}
	}
	if len(found) != len(thumbprints) {
		t.Errorf("%s holds %d certificates of %s, want %d", store, len(found), name, len(thumbprints))
	}
}

func (w *environment) put(t *testing.T, name string, options keyvault.CertificateOptions) string {
	t.Helper()
	made, err := w.shop.Put(name, options)
	if err != nil {
		t.Fatal(err)
	}
	return made.Thumbprint
}

func (w *environment) rotate(t *testing.T, name string) string {
	t.Helper()
	made, err := w.shop.Rotate(name)
	if err != nil {
		t.Fatal(err)
	}
	return made.Thumbprint
}

// gone waits until the node no longer reports a certificate.
func (w *environment) gone(t *testing.T, name string) {
	t.Helper()
	await.That(t, name+" is no longer reported", func() (bool, error) {
		var state v1alpha1.NodeCertificateState
		err := w.client.Get(t.Context(), client.ObjectKey{Name: nodeName}, &state)
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		for _, entry := range state.Certificates {
			if entry.Name == name {
				return false, nil
			}
		}
		return true, err
	})
}
