// Package eventgrid receives the events that Azure Key Vault publishes, from an event subscription with pull delivery to a topic
// of an Event Grid namespace (https://learn.microsoft.com/azure/event-grid/pull-delivery-overview). Nothing connects to the
// cluster: the receiver asks.
//
// An event only triggers a look at the versions of one secret, and the version that it names is not used. Delivery is at least
// once and in no order, and events can be lost, so the versions are also listed at an interval.
package eventgrid
