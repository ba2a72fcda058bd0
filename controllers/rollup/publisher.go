package rollup

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// pulse is the time between two looks at what time alone changes: Leases that get old, certificates that come to their end.
const pulse = 5 * time.Second

// publisher writes statuses: one at a time, the most urgent first, within the budget, and only where one differs.
type publisher struct {
	client client.Client
	events events.EventRecorder
	index  *index
	outbox *outbox
	budget *budget
	meters *meters
	soon   time.Duration
	now    func() time.Time

	// written are the statuses that were written and that the cache may not show yet.
	written map[string]written
	told    map[string]*story
}

// written is what a write made of the object that the cache showed.
type written struct {
	seen   string // the resource version that the cache showed
	result *v1alpha1.ObservedCertificate
}

// run publishes until the context ends.
func (p *publisher) run(ctx context.Context) {
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	for ctx.Err() == nil {
		p.budget.spreadOver(p.now(), p.index.agentCount(p.now()))
		if affordable := p.budget.next(p.now()); affordable.After(p.now()) {
			p.wait(ctx, affordable, nil, ticker.C) // whatever changes meanwhile, nothing can be written
			continue
		}
		due, next := p.outbox.due(p.now())
		drafts := p.drafts(ctx, due)
		for _, d := range drafts {
			if ctx.Err() != nil || !p.budget.spend(p.now()) {
				break
			}
			p.publish(ctx, d.parcel)
		}
		if len(drafts) == 0 {
			p.wait(ctx, next, p.outbox.wake, ticker.C)
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
		p.meters.coalesced.Add(float64(p.outbox.add(p.now(), p.index.tick(p.now())...)))
	case <-ctx.Done():
	}
}

// drafts computes what should be written, the most urgent first. What differs in nothing is done with.
func (p *publisher) drafts(ctx context.Context, due []parcel) []draft {
	var drafts []draft
	for _, waiting := range due {
		p.outbox.take(waiting.name)
		d, differs := p.draft(ctx, waiting)
		if !differs {
			continue
		}
		p.outbox.putBack(waiting)
		drafts = append(drafts, d)
	}
	sortByUrgency(drafts, p.now())
	return drafts
}

// draft computes a status, and reports whether it differs from the one that is stored.
func (p *publisher) draft(ctx context.Context, waiting parcel) (draft, bool) {
	certificate, err := p.stored(ctx, waiting.name)
	if err != nil {
		if !apierrors.IsNotFound(err) && ctx.Err() == nil {
			p.outbox.failed(waiting.name, waiting.since, p.now())
		}
		return draft{}, false
	}
	w, s, told, known := p.index.picture(waiting.name, p.soon, p.now())
	if !known || w.uid != certificate.UID {
		return draft{}, false // it comes again when the index has it
	}
	status := statusOf(certificate.Status, w, s, told, p.soon, p.now())
	if sameStatus(certificate.Status, status) {
		p.meters.skipped.Inc()
		return draft{}, false
	}
	return draft{parcel: waiting, certificate: certificate, status: status, summary: s, named: told, urgency: urgencyOf(certificate.Status, status)}, true
}

// stored returns the object as the API server has it: as the cache shows it, or as the last write left it while the cache
// does not show that yet.
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
	delete(p.told, name)
	p.outbox.forget(name)
}

// publish computes a status once more, writes it, and says what happened.
func (p *publisher) publish(ctx context.Context, waiting parcel) {
	p.outbox.take(waiting.name)
	d, differs := p.draft(ctx, waiting)
	if !differs {
		return
	}
	if err := p.write(ctx, d); err != nil {
		if !apierrors.IsNotFound(err) && ctx.Err() == nil {
			p.meters.writes.WithLabelValues(resultFailed).Inc()
			p.outbox.failed(waiting.name, waiting.since, p.now())
			ctrl.LoggerFrom(ctx).Info("Writing the status again later", "ObservedCertificate", waiting.name, "cause", err.Error())
		}
		return
	}
	p.outbox.wrote(waiting.name, p.now())
	p.meters.writes.WithLabelValues(resultSucceeded).Inc()
	p.meters.delay.Observe(p.now().Sub(waiting.since).Seconds())
	p.tell(ctx, d)
}

// write updates the status, and not only what differs in it, with the version it was computed from: a status is never a
// mixture of two.
func (p *publisher) write(ctx context.Context, d draft) error {
	seen := p.seen(d)
	updated := d.certificate.DeepCopy()
	updated.Status = d.status
	if err := p.client.Status().Update(ctx, updated); err != nil {
		return err
	}
	p.written[d.name] = written{seen: seen, result: updated}
	return nil
}

// seen is the resource version that the cache showed when the draft was made.
func (p *publisher) seen(d draft) string {
	if last, ok := p.written[d.name]; ok && last.result.ResourceVersion == d.certificate.ResourceVersion {
		return last.seen
	}
	return d.certificate.ResourceVersion
}
