// Package eventgrid is an HTTPS server with the protocol of an Azure Event Grid namespace: one topic and one event subscription
// with pull delivery. It makes the events that Key Vault publishes, and can fail in the ways in which Event Grid and the network
// do. It accepts the tokens of a test Key Vault's tenant, uses that server's CA, and listens on 127.0.0.1 only.
//
// Sources: https://learn.microsoft.com/azure/event-grid/subscriber-operations, API version 2024-06-01, and the SDK
// github.com/Azure/azure-sdk-for-go/sdk/messaging/eventgrid/aznamespaces, whose requests it answers. None of it was recorded from
// the service.
package eventgrid
