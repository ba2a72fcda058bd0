package rollup

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/rollup/writequeue"
)

// tickInterval is the time between two checks of what time alone changes: Leases that become too old, certificates that expire.
const tickInterval = 5 * time.Second

// publish loads the index, and then writes statuses until the context ends. It writes nothing before: a status computed from
// half of the nodes would be wrong.
func (r *Rollup) publish(ctx context.Context) error {
	ctx = ctrl.LoggerInto(ctx, ctrl.Log.WithName("rollup"))
	if err := r.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopping
		}
		return err
	}
	p := &publisher{
		client: r.Client, events: r.Events, versions: r.Versions, index: r.index, queue: r.queue, instruments: r.instruments, now: r.Now,
		expiringSoon: r.ExpiringSoon, budget: writequeue.NewBudget(r.WatchEvents),
		written: map[string]written{}, histories: map[string]*eventHistory{},
	}
	p.run(ctx)
	return nil
}

// load adds all nodes and certificates to the index. The cache answers only when it is complete.
func (r *Rollup) load(ctx context.Context) error {
	var (
		nodes        corev1.NodeList
		certificates v1alpha1.ObservedCertificateList
	)
	for _, list := range []client.ObjectList{&nodes, &certificates} {
		if err := r.List(ctx, list); err != nil {
			return fmt.Errorf("listing nodes and certificates: %w", err)
		}
	}
	for i := range certificates.Items {
		request := reconcile.Request{NamespacedName: types.NamespacedName{Name: certificates.Items[i].Name}}
		if _, err := r.reconcileCertificate(ctx, request); err != nil {
			return err
		}
	}
	for i := range nodes.Items {
		if _, _, err := r.observeNode(ctx, nodes.Items[i].Name); err != nil {
			return err
		}
	}
	r.index.markComplete()
	return nil
}

// publisher writes statuses: one at a time, the most urgent first, within the budget, and only those that changed.
type publisher struct {
	client       client.Client
	events       events.EventRecorder
	index        *index
	versions     Versions
	queue        *writequeue.Queue
	budget       *writequeue.Budget
	instruments  *instruments
	expiringSoon time.Duration
	now          func() time.Time

	// written are statuses that were written and that the cache may not have yet, by name.
	written   map[string]written
	histories map[string]*eventHistory // by name
}

// written is the result of a write.
type written struct {
	seen   string // the resource version in the cache before the write
	result *v1alpha1.ObservedCertificate
}

// pendingWrite is a status that differs from the stored one.
type pendingWrite struct {
	writequeue.Pending
	// certificate is the stored object, status its new status.
	certificate *v1alpha1.ObservedCertificate
	status      v1alpha1.ObservedCertificateStatus
	summary     summary
	named       namedNodes
	urgency     writequeue.Urgency
}

// run publishes until the context ends.
func (p *publisher) run(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		p.budget.SetAgents(p.now(), p.index.agentCount(p.now()))
		if affordable := p.budget.Next(p.now()); affordable.After(p.now()) {
			p.wait(ctx, affordable, nil, ticker.C) // whatever changes in the meantime, nothing can be written
			continue
		}
		due, next := p.queue.Due(p.now())
		writes := p.pendingWrites(ctx, due)
		for _, w := range writes {
			if ctx.Err() != nil || !p.budget.Spend(p.now()) {
				break
			}
			p.publish(ctx, w.Pending)
		}
		if len(writes) == 0 {
			p.wait(ctx, next, p.queue.Wake(), ticker.C)
		}
	}
}

// wait returns when there may be something to write.
func (p *publisher) wait(ctx context.Context, next time.Time, wake <-chan struct{}, ticks <-chan time.Time) {
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(next.Sub(p.now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-wake:
	case <-due:
	case <-ticks:
		p.instruments.coalesced.Add(float64(p.queue.Add(p.now(), p.index.tick(p.now())...)))
	case <-ctx.Done():
	}
}

// pendingWrites computes the statuses that should be written, the most urgent first. Unchanged ones leave the queue.
func (p *publisher) pendingWrites(ctx context.Context, due []writequeue.Pending) []pendingWrite {
	var writes []pendingWrite
	for _, pending := range due {
		p.queue.Take(pending.Name)
		w, differs := p.compute(ctx, pending)
		if !differs {
			continue
		}
		p.queue.PutBack(pending)
		writes = append(writes, w)
	}
	sortWrites(writes, p.now())
	return writes
}

func sortWrites(writes []pendingWrite, now time.Time) {
	writequeue.Sort(writes, now, func(w pendingWrite) (writequeue.Pending, writequeue.Urgency) { return w.Pending, w.urgency })
}

// compute computes a status, and reports whether it differs from the stored one.
func (p *publisher) compute(ctx context.Context, pending writequeue.Pending) (pendingWrite, bool) {
	certificate, err := p.stored(ctx, pending.Name)
	if err != nil {
		if !apierrors.IsNotFound(err) && ctx.Err() == nil {
			p.queue.Failed(pending, p.now())
		}
		return pendingWrite{}, false
	}
	current := withVersions(certificate, p.versions, p.now())
	w, s, named, known := p.snapshot(current)
	if !known || w.uid != certificate.UID {
		return pendingWrite{}, false // it is added again when the index has it
	}
	status := statusOf(current.Status, w, s, named, p.expiringSoon, p.now())
	if sameStatus(certificate.Status, status) {
		p.instruments.skipped.Inc()
		return pendingWrite{}, false
	}
	return pendingWrite{Pending: pending, certificate: certificate, status: status, summary: s, named: named, urgency: urgencyOf(certificate.Status, status)}, true
}

// snapshot returns what the status of a certificate is computed from, and starts the next wave of its roll-out if that is due.
func (p *publisher) snapshot(current *v1alpha1.ObservedCertificate) (w desired, s summary, named namedNodes, known bool) {
	latest := latestOf(current)
	p.index.publish(current.Name, latest, waveOf(current.Status.Rollout, latest))
	w, s, named, known = p.index.snapshot(current.Name, p.expiringSoon, p.now())
	rollout, changes := advance(current, s, w, p.now())
	if wave := waveOf(rollout, latest); wave != s.wave {
		p.index.publish(current.Name, latest, wave)
		w, s, named, known = p.index.snapshot(current.Name, p.expiringSoon, p.now())
	}
	current.Status.Rollout = rollout
	if !changes.IsZero() {
		p.index.wakeAt(current.Name, changes)
	}
	return w, s, named, known
}

// stored returns the object as the API server has it: from the cache, or, until the cache has it, from the last write.
func (p *publisher) stored(ctx context.Context, name string) (*v1alpha1.ObservedCertificate, error) {
	certificate := &v1alpha1.ObservedCertificate{}
	err := p.client.Get(ctx, types.NamespacedName{Name: name}, certificate)
	if apierrors.IsNotFound(err) {
		p.forget(name)
	}
	if err != nil {
		return nil, err
	}
	if last, ok := p.written[name]; ok && last.seen == certificate.ResourceVersion {
		return last.result.DeepCopy(), nil
	}
	return certificate, nil
}

func (p *publisher) forget(name string) {
	delete(p.written, name)
	delete(p.histories, name)
	p.queue.Forget(name)
}

// publish computes a status once more, writes it, and emits its events.
func (p *publisher) publish(ctx context.Context, pending writequeue.Pending) {
	p.queue.Take(pending.Name)
	w, differs := p.compute(ctx, pending)
	if !differs {
		return
	}
	if err := p.write(ctx, w); err != nil {
		if !apierrors.IsNotFound(err) && ctx.Err() == nil {
			p.instruments.writes.WithLabelValues(resultFailed).Inc()
			p.queue.Failed(pending, p.now())
			ctrl.LoggerFrom(ctx).Info("Cannot write the status, retrying", "ObservedCertificate", pending.Name, "cause", err.Error())
		}
		return
	}
	p.queue.Wrote(pending.Name, p.now())
	p.instruments.writes.WithLabelValues(resultSucceeded).Inc()
	p.instruments.delay.Observe(p.now().Sub(pending.Since).Seconds())
	p.emitEvents(ctx, w)
}

// write replaces the whole status, with the resource version that it was computed from: a status never mixes two.
func (p *publisher) write(ctx context.Context, w pendingWrite) error {
	seen := p.seen(w)
	updated := w.certificate.DeepCopy()
	updated.Status = w.status
	if err := p.client.Status().Update(ctx, updated); err != nil {
		return err
	}
	p.written[w.Name] = written{seen: seen, result: updated}
	return nil
}

// seen returns the resource version in the cache when the write was computed.
func (p *publisher) seen(w pendingWrite) string {
	if last, ok := p.written[w.Name]; ok && last.result.ResourceVersion == w.certificate.ResourceVersion {
		return last.seen
	}
	return w.certificate.ResourceVersion
}
