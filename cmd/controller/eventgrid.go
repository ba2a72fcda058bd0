package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vaultpane/vaultpane/internal/eventgrid"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
)

// eventGridOptions are the settings of the receiver of Key Vault's events: all of them, or none.
type eventGridOptions struct{ endpoint, topic, subscription string }

func (e *eventGridOptions) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&e.endpoint, "event-grid-endpoint", "", "URL of an Event Grid namespace, https://<namespace>.<region>-1.eventgrid.azure.net, from which Key Vault's events are received, so that --version-watch lists the versions of a renewed certificate at once; needs the role EventGrid Data Receiver. Empty for none")
	flags.StringVar(&e.topic, "event-grid-topic", "", "the namespace's topic that Key Vault's events are delivered to")
	flags.StringVar(&e.subscription, "event-grid-subscription", "", "the topic's event subscription with pull delivery; one for each cluster")
}

// enabled reports whether events are received.
func (e *eventGridOptions) enabled() bool { return e.endpoint != "" }

func (e *eventGridOptions) validate(watch *watchOptions) error {
	if *e == (eventGridOptions{}) {
		return nil
	}
	for _, each := range []struct{ flag, value string }{
		{"--event-grid-endpoint", e.endpoint}, {"--event-grid-topic", e.topic}, {"--event-grid-subscription", e.subscription},
	} {
		if each.value == "" {
			return fmt.Errorf("%s is empty, must be set together with the other two of --event-grid-endpoint, --event-grid-topic and --event-grid-subscription, or none of them", each.flag)
		}
	}
	if !watch.enabled {
		return errors.New("--event-grid-endpoint is set, and --version-watch is not: an event only triggers a list of versions; set --version-watch, or remove the --event-grid flags")
	}
	settings := e.settings(watch)
	if err := settings.Check(); err != nil {
		return fmt.Errorf("--event-grid-%w", err)
	}
	return nil
}

// settings are the receiver's, with those that it shares with the version watch.
func (e *eventGridOptions) settings(watch *watchOptions) eventgrid.Options {
	return eventgrid.Options{
		Endpoint: e.endpoint, Topic: e.topic, Subscription: e.subscription, AllowedHosts: watch.azure.AllowedVaultHosts,
		Credential: auth.Credential(watch.azure.Credential), AuthorityHost: watch.azure.AuthorityHost,
	}
}

// addEventGrid adds the receiver to the manager, which runs it while it leads.
func addEventGrid(mgr ctrl.Manager, look eventgrid.Look, o options) error {
	receiver, err := newReceiver(look, &o)
	if err != nil {
		return err
	}
	if err := metrics.Registry.Register(receiver); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		return receiver.Run(ctrl.LoggerInto(ctx, mgr.GetLogger().WithName("event-grid")))
	}))
}

func newReceiver(look eventgrid.Look, o *options) (*eventgrid.Receiver, error) {
	settings := o.eventGrid.settings(&o.watch)
	settings.Look = look
	var err error
	if settings.CABundle, err = o.watch.azure.Bundle(); err != nil {
		return nil, err
	}
	receiver, err := eventgrid.New(settings)
	if err != nil {
		return nil, fmt.Errorf("configuring the receiver of events: %w", err)
	}
	return receiver, nil
}
