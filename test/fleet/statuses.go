package fleet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Statuses is what one agent's watch of ObservedCertificates sees of their status: each write, and when it came.
type Statuses struct {
	mu     sync.Mutex
	latest map[string]seen
	writes map[string][]time.Time
	ended  bool
}

// seen is a certificate as the watch showed it.
type seen struct {
	*v1alpha1.ObservedCertificate
	at time.Time
}

// WatchStatuses begins to watch; it ends with the context.
func (f *Fleet) WatchStatuses(ctx context.Context) (*Statuses, error) {
	events, err := f.kube.Watch(ctx, &v1alpha1.ObservedCertificateList{})
	if err != nil {
		return nil, fmt.Errorf("watching ObservedCertificates: %w", err)
	}
	s := &Statuses{latest: map[string]seen{}, writes: map[string][]time.Time{}}
	go func() {
		for event := range events.ResultChan() {
			s.take(event, time.Now())
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = true
	}()
	return s, nil
}

func (s *Statuses) take(event watch.Event, at time.Time) {
	certificate, ok := event.Object.(*v1alpha1.ObservedCertificate)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if event.Type == watch.Modified {
		s.writes[certificate.Name] = append(s.writes[certificate.Name], at)
	}
	s.latest[certificate.Name] = seen{certificate, at}
}

// Forget forgets the writes so far.
func (s *Statuses) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = map[string][]time.Time{}
}

// Writes returns when statuses were written, in order.
func (s *Statuses) Writes() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []time.Time
	for _, times := range s.writes {
		all = append(all, times...)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// Closest is the least time between two writes of one certificate; ok is false where none was written twice.
func (s *Statuses) Closest() (closest time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.writes {
		for i := 1; i < len(times); i++ {
			if gap := times[i].Sub(times[i-1]); !ok || gap < closest {
				closest, ok = gap, true
			}
		}
	}
	return closest, ok
}

// Until waits until the given number of certificates match, and returns when the last of them began to.
func (s *Statuses) Until(ctx context.Context, count int, limit time.Duration, wanted func(*v1alpha1.ObservedCertificate) bool) (time.Time, error) {
	var last time.Time
	right := 0
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, limit, true, func(context.Context) (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.ended {
			return false, fmt.Errorf("the watch has ended")
		}
		right, last = 0, time.Time{}
		for _, certificate := range s.latest {
			if !wanted(certificate.ObservedCertificate) {
				continue
			}
			right++
			if certificate.at.After(last) {
				last = certificate.at
			}
		}
		return right == count, nil
	})
	if err != nil {
		return last, fmt.Errorf("waiting for the status of %d certificates, %d are right: %w", count, right, err)
	}
	return last, nil
}

// Ready reports whether a status is as expected when this number of nodes have the certificate with this thumbprint.
func Ready(certificate *v1alpha1.ObservedCertificate, nodes int, thumbprint string) bool {
	status := certificate.Status
	return status.Nodes != nil && int(status.Nodes.Matched) == nodes && int(status.Nodes.Installed) == nodes &&
		status.Thumbprint == thumbprint && meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
}

// Unselected reports whether a status counts no node.
func Unselected(certificate *v1alpha1.ObservedCertificate) bool {
	return certificate.Status.Nodes != nil && certificate.Status.Nodes.Matched == 0
}

// Busiest is the highest number of times within any window of the given length. The times are in order.
func Busiest(times []time.Time, window time.Duration) int {
	most, first := 0, 0
	for i, at := range times {
		for at.Sub(times[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
