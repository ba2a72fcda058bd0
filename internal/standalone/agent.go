package standalone

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"

	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
)

// Agent keeps one machine's certificates as its settings files say.
type Agent struct {
	// Files, Source, Requests and State are the agent's input and output. The engine's Certificates are the source, its Reports the
	// state, and its Incomplete is the source's.
	Files    *Files
	Source   *Source
	Requests Requests
	State    *State
	Engine   *engine.Engine
	// Workers is how many certificates are processed at once.
	Workers int
	// StoreCheckInterval is the time between two checks of the store for drift; they cost no Key Vault request.
	StoreCheckInterval time.Duration
	// Warn is called with each new warning about a certificate, and with an empty name about the settings files; nil for not called.
	Warn func(certificate string, warning failure.Failure)
	// Processed is called after each processing of a certificate; nil for not called.
	Processed func(certificate string)

	queue workqueue.TypedRateLimitingInterface[string]

	worked atomic.Bool // since memory was last given back

	mu    sync.Mutex
	found Found // at the last look
}

// Run runs the agent until the context ends.
func (a *Agent) Run(ctx context.Context) {
	a.queue = workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, 15*time.Minute))
	if err := a.Requests.prepare(); err != nil {
		logr.FromContextOrDiscard(ctx).Info("Requested polls are found late, until the folder exists", "folder", a.Requests.folder(), "cause", err.Error())
	}
	watcher := newWatcher(ctx, a.paths())
	defer watcher.close()
	a.look(ctx)
	var running sync.WaitGroup
	running.Go(func() { a.State.Keep(ctx) })
	running.Go(func() { a.follow(ctx, watcher) })
	running.Go(func() {
		a.Engine.CheckStores(logr.NewContext(ctx, logr.FromContextOrDiscard(ctx).WithName("store-check")), a.StoreCheckInterval, a.queue.Add)
	})
	for range a.Workers {
		running.Go(func() { a.work(ctx) })
	}
	<-ctx.Done()
	a.queue.ShutDown()
	running.Wait()
}

func (a *Agent) paths() []string { return append(slices.Clone(a.Files.Paths), a.Requests.folder()) }

// follow looks at the files after each change, and regularly. Timers stand still while a machine sleeps, so after it everything is
// looked at.
func (a *Agent) follow(ctx context.Context, watcher *watcher) {
	for before := wallClock(); watcher.wait(ctx, a.untilLook()); before = wallClock() {
		a.look(ctx)
		if a.worked.Swap(false) {
			debug.FreeOSMemory() // else what the work took stays resident: a machine has better use for it
		}
		if wallClock().Sub(before) > 3*lookInterval {
			a.ProcessAll(ctx)
		}
	}
}

// untilLook is the time to the next look when no change is reported: shorter while certificates are leaving.
func (a *Agent) untilLook() time.Duration {
	if a.Source.Leaving() {
		return min(a.Source.Grace, lookInterval)
	}
	return lookInterval
}

// wallClock returns the time without the monotonic clock, which does not count a machine's sleep.
func wallClock() time.Time { return time.Now().Round(0) }

// look reads the settings files and requests, queues what changed, and releases what is gone. A panic is a defect that a file has
// brought to light, and must not end the agent, nor a program beside it.
func (a *Agent) look(ctx context.Context) {
	defer func() {
		if cause := recover(); cause != nil {
			logr.FromContextOrDiscard(ctx).Error(nil, "Panic while reading the settings; trying again later", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
	}()
	found := a.Files.Look()
	a.tell(ctx, found)
	changed, gone := a.Source.Replace(found, a.Requests.Read(a.Engine.Now()))
	certificates, _ := a.Source.List(ctx) // it never fails
	a.State.SetCertificates(certificates)
	for _, name := range slices.Concat(changed, gone, a.leftOver(ctx)) {
		a.queue.Add(name)
	}
}

// leftOver returns the certificates that an earlier agent has reported and that no settings file has any more.
func (a *Agent) leftOver(ctx context.Context) []string {
	if a.Source.Incomplete() {
		return nil
	}
	return slices.DeleteFunc(a.State.Names(), func(name string) bool {
		certificate, _ := a.Source.Get(ctx, name) // it never fails
		return certificate != nil
	})
}

// ProcessAll queues every certificate. Those that are not due cost nothing.
func (a *Agent) ProcessAll(ctx context.Context) {
	certificates, _ := a.Source.List(ctx) // it never fails
	for _, certificate := range certificates {
		a.queue.Add(certificate.Name)
	}
}

// tell logs what is wrong with the settings files, once, and records it.
func (a *Agent) tell(ctx context.Context, found Found) {
	a.mu.Lock()
	before := a.found
	a.found = found
	a.mu.Unlock()
	a.State.SetProblems(found.Problems)
	log := logr.FromContextOrDiscard(ctx)
	for _, problem := range found.Problems {
		if slices.Contains(before.Problems, problem) {
			continue
		}
		log.Error(nil, "The settings cannot be used; what was in use before stays", "problem", problem)
		if a.Warn != nil {
			a.Warn("", failure.Failure{Message: problem})
		}
	}
	for _, note := range found.Notes {
		if !slices.Contains(before.Notes, note) {
			log.Info("The settings should be written otherwise", "note", note)
		}
	}
	if len(found.Problems) == 0 && len(before.Problems) > 0 {
		log.Info("The settings are right again")
	}
}

// Problems returns what is wrong with the settings files.
func (a *Agent) Problems() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.found.Problems
}

// work processes certificates from the queue until it is shut down. No two workers process the same one.
func (a *Agent) work(ctx context.Context) {
	for {
		name, ended := a.queue.Get()
		if ended {
			return
		}
		a.attempt(ctx, name)
		a.worked.Store(true)
		a.queue.Done(name)
		if a.Processed != nil {
			a.Processed(name)
		}
	}
}

// attempt processes a certificate. A panic is a defect that one certificate has brought to light, and must not stop the others.
func (a *Agent) attempt(ctx context.Context, name string) {
	log := logr.FromContextOrDiscard(ctx).WithValues("ObservedCertificate", name)
	defer func() {
		if cause := recover(); cause != nil {
			log.Error(nil, "Panic while processing the certificate; trying again later", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			a.queue.AddRateLimited(name)
		}
	}()
	a.process(logr.NewContext(ctx, log), name)
	a.queue.Forget(name)
}

func (a *Agent) process(ctx context.Context, name string) {
	log := logr.FromContextOrDiscard(ctx)
	certificate, _ := a.Source.Get(ctx, name) // it never fails
	if certificate == nil {
		if err := a.Engine.Release(ctx, name); err != nil {
			log.V(1).Info("Cannot follow a deletion policy yet", "cause", err.Error())
		}
		return
	}
	result := a.Engine.Process(ctx, certificate)
	for _, warning := range result.Warnings {
		if a.Warn != nil {
			a.Warn(name, warning)
		}
	}
	if !result.Next.IsZero() {
		a.queue.AddAfter(name, max(result.Next.Sub(a.Engine.Now()), time.Millisecond))
	}
}
