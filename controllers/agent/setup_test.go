package agent_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// Labels of the tests' nodes.
const (
	machineLabel = "test.vaultpane.dev/machine" // which machine it is; ObservedCertificates select by it
	pokeLabel    = "test.vaultpane.dev/poke"    // changed to make the agent look at everything
)

// pollingInterval is that of all certificates here: the longest that the API accepts, so that no slot comes by itself while a
// test runs.
const pollingInterval = 30 * 24 * time.Hour

// full is the name of an ObservedCertificate and of a secret as the API server and the vault know it.
func (m *machine) full(name string) string { return m.name + "-" + name }

// put makes a certificate in the vault and returns its thumbprint. Its key is an EC key, since those are generated quickly,
// and it is good for longer than any test lets pass.
func (m *machine) put(name string, options vaulttest.CertificateOptions) string {
	m.t.Helper()
	options.KeyType = vaulttest.P256
	if options.NotAfter.IsZero() {
		options.NotAfter = time.Now().AddDate(5, 0, 0)
	}
	made, err := m.vault.Put(m.full(name), options)
	if err != nil {
		m.t.Fatal(err)
	}
	return made.Thumbprint
}

// rotate makes a new version of a certificate in the vault and returns its thumbprint.
func (m *machine) rotate(name string) string {
	m.t.Helper()
	made, err := m.vault.Rotate(m.full(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return made.Thumbprint
}

// requests is how often the vault was asked for a secret.
func (m *machine) requests(name string) int { return m.vault.Stats().BySecret[m.full(name)] }

// url is the URL of the secret of that name.
func (m *machine) url(name string) string { return m.vault.SecretURL(m.full(name)) }

// create creates an ObservedCertificate for this machine, of the secret of the same name.
func (m *machine) create(name string, changes ...func(*v1alpha1.ObservedCertificateSpec)) *v1alpha1.ObservedCertificate {
	m.t.Helper()
	certificate := &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: m.full(name)},
		Spec:       v1alpha1.ObservedCertificateSpec{URL: m.url(name), PollingIntervalInS: int32(pollingInterval.Seconds())},
	}
	for _, change := range changes {
		change(&certificate.Spec)
	}
	m.must(m.front.create(certificate))
	return certificate
}

// change changes an ObservedCertificate.
func (m *machine) change(name string, change func(*v1alpha1.ObservedCertificate)) {
	m.t.Helper()
	m.eventually("the change is taken", func() (bool, error) {
		certificate, err := m.front.get(m.full(name))
		if err != nil {
			return false, err
		}
		change(certificate)
		return true, m.front.update(certificate)
	})
}

// changeSpec changes the spec of an ObservedCertificate.
func (m *machine) changeSpec(name string, change func(*v1alpha1.ObservedCertificateSpec)) {
	m.t.Helper()
	m.change(name, func(certificate *v1alpha1.ObservedCertificate) { change(&certificate.Spec) })
}

// generation is that of an ObservedCertificate's spec.
func (m *machine) generation(name string) int64 {
	m.t.Helper()
	certificate, err := m.front.get(m.full(name))
	m.must(err)
	return certificate.Generation
}

// annotate sets an annotation, or removes it where the value is empty.
func (m *machine) annotate(name, key, value string) {
	m.t.Helper()
	m.change(name, func(certificate *v1alpha1.ObservedCertificate) {
		if value == "" {
			delete(certificate.Annotations, key)
			return
		}
		metav1.SetMetaDataAnnotation(&certificate.ObjectMeta, key, value)
	})
}

// delete deletes an ObservedCertificate.
func (m *machine) delete(name string) {
	m.t.Helper()
	m.must(m.front.delete(m.full(name)))
}

// nextSlot lets time pass until every certificate's next slot has come. A slot right after a poll does not count.
func (m *machine) nextSlot() {
	m.t.Helper()
	m.pass(pollingInterval + time.Minute)
}

// pass lets time pass: the clock moves, and the agent looks at everything, as it does when its timers end.
func (m *machine) pass(d time.Duration) {
	m.t.Helper()
	m.clock.advance(d)
	m.front.processAll()
}

// reconcilesAgain makes the agent look at a certificate and returns when it is through: two looks at one certificate follow each
// other, so the first has ended when the second begins.
func (m *machine) reconcilesAgain(name string) {
	m.t.Helper()
	for range 2 {
		before := m.reconciles.of(m.full(name))
		m.front.processAll()
		m.eventually("the agent looks at "+name, func() (bool, error) { return m.reconciles.of(m.full(name)) > before, nil })
	}
}

// storeIsRead waits until the agent has read its stores again, twice: a read that had already begun is not enough.
func (m *machine) storeIsRead() {
	m.t.Helper()
	refs, err := m.openStore().Stores(certstore.LocalMachine)
	if err != nil {
		m.t.Fatal(err)
	}
	before := m.store.listed()
	m.eventually("the store is read again", func() (bool, error) { return m.store.listed() > before+2*len(refs), nil })
}

// Changes of a spec that many tests make.

func deleteWhenGone(spec *v1alpha1.ObservedCertificateSpec) {
	spec.DeletionPolicy = v1alpha1.DeletionDelete
}

func exportable(spec *v1alpha1.ObservedCertificateSpec) { spec.KeyExportable = true }

func suspended(spec *v1alpha1.ObservedCertificateSpec) { spec.Suspend = true }

func inStore(name string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) { spec.CertificateStoreName = name }
}

func keeping(superseded int32) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) { spec.RevisionHistoryLimit = &superseded }
}

func of(url string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) { spec.URL = url }
}
