// Key Vault's events for the version watch of Vaultpane's controller: docs/event-grid.md explains it.
//
//   vault ── system topic ──▶ topic of an Event Grid namespace ── event subscription (pull delivery) ◀── controller
//
// Deploy it to the resource group of the vaults:
//
//   az deployment group create --resource-group my-vaults --template-file hack/azure/eventgrid.bicep \
//     --parameters vaultNames='["myvault"]' namespaceName=my-vaultpane-events controllerPrincipalId=<object id>
//
// It has not been deployed, nor compiled, by this project: it follows the reference of the types that it names. All are stable
// versions: https://learn.microsoft.com/azure/templates/microsoft.eventgrid/2025-02-15/namespaces (and /namespaces/topics,
// /namespaces/topics/eventsubscriptions, /systemtopics, /systemtopics/eventsubscriptions). What it connects is described at
// https://learn.microsoft.com/azure/event-grid/handler-event-grid-namespace-topic.

@description('Names of the vaults, all in this resource group, whose certificates are observed.')
@minLength(1)
param vaultNames array

@description('Name of the Event Grid namespace, which is created. It is part of the endpoint: 3 to 50 letters, digits and hyphens.')
@minLength(3)
@maxLength(50)
param namespaceName string

@description('Name of the namespace topic, the value of controller.versionWatch.eventGrid.topic.')
@minLength(3)
@maxLength(50)
param topicName string = 'vaults'

@description('Names of the event subscriptions, one for each cluster: clusters that share one receive only a part of the events each.')
@minLength(1)
param subscriptionNames array = ['vaultpane']

@description('Object id (principal id) of the identity of the controllers, not its client id: az identity show --query principalId.')
param controllerPrincipalId string

@description('Region of the namespace. It must have Event Grid namespaces.')
param location string = resourceGroup().location

@description('Region of the vaults, where their system topics are.')
param vaultLocation string = resourceGroup().location

@description('Whether the identity of the controllers gets the role Key Vault Reader on the vaults. false for vaults with access policies: there, allow "list" for secrets.')
param grantKeyVaultReader bool = true

// Roles that Azure defines (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles).
var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'
var eventGridDataReceiver = '78cbd9e7-9798-4e2e-9b5a-547d9ebb31fb'
var keyVaultReader = '21090545-7ca7-4776-b22c-e363652d74d2'

// Events after which another version may be the one to use. Keys have no certificates; there are no events for a version that is
// disabled, enabled, deleted or recovered (https://learn.microsoft.com/azure/event-grid/event-schema-key-vault).
var eventTypes = [
  'Microsoft.KeyVault.SecretNewVersionCreated'
  'Microsoft.KeyVault.SecretNearExpiry'
  'Microsoft.KeyVault.SecretExpired'
  'Microsoft.KeyVault.CertificateNewVersionCreated'
  'Microsoft.KeyVault.CertificateNearExpiry'
  'Microsoft.KeyVault.CertificateExpired'
]

resource vaults 'Microsoft.KeyVault/vaults@2023-07-01' existing = [for name in vaultNames: {
  name: name
}]

// One throughput unit is 1 MB/s, the least there is; an event has about 1 kB.
resource namespace 'Microsoft.EventGrid/namespaces@2025-02-15' = {
  name: namespaceName
  location: location
  sku: {
    name: 'Standard'
    capacity: 1
  }
  properties: {
    publicNetworkAccess: 'Enabled' // system topics cannot deliver through a private endpoint
    minimumTlsVersionAllowed: '1.2'
  }
}

resource topic 'Microsoft.EventGrid/namespaces/topics@2025-02-15' = {
  parent: namespace
  name: topicName
  properties: {
    publisherType: 'Custom'
    inputSchema: 'CloudEventSchemaV1_0'
    eventRetentionInDays: 1
  }
}

// Pull delivery is deliveryMode Queue: the controller asks, and nothing connects to the cluster.
resource subscriptions 'Microsoft.EventGrid/namespaces/topics/eventSubscriptions@2025-02-15' = [for name in subscriptionNames: {
  parent: topic
  name: name
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    deliveryConfiguration: {
      deliveryMode: 'Queue'
      queue: {
        receiveLockDurationInSeconds: 60
        maxDeliveryCount: 10
        eventTimeToLive: 'P1D'
      }
    }
    filtersConfiguration: {
      includedEventTypes: eventTypes
    }
  }
}]

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, controllerPrincipalId, eventGridDataReceiver)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataReceiver)
    principalId: controllerPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// A vault has one system topic at most. If one exists, deploy this file without its vault, and add the subscription below to it.
resource systemTopics 'Microsoft.EventGrid/systemTopics@2025-02-15' = [for (name, i) in vaultNames: {
  name: '${name}-vaultpane'
  location: vaultLocation
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: vaults[i].id
    topicType: 'Microsoft.KeyVault.vaults'
  }
}]

resource senders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, i) in vaultNames: {
  scope: topic
  name: guid(topic.id, name, eventGridDataSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataSender)
    principalId: systemTopics[i].identity.principalId
    principalType: 'ServicePrincipal'
  }
}]

resource deliveries 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [for (name, i) in vaultNames: {
  parent: systemTopics[i]
  name: 'vaultpane'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0' // the only one that a namespace topic takes
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'NamespaceTopic'
        properties: {
          resourceId: topic.id
        }
      }
    }
    filter: {
      includedEventTypes: eventTypes
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
  dependsOn: [
    senders // else Azure refuses the subscription, or the first events
  ]
}]

resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, i) in vaultNames: if (grantKeyVaultReader) {
  scope: vaults[i]
  name: guid(vaults[i].id, controllerPrincipalId, keyVaultReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultReader)
    principalId: controllerPrincipalId
    principalType: 'ServicePrincipal'
  }
}]

@description('Values of the chart, below controller.versionWatch.eventGrid; one subscription for each cluster.')
output eventGrid object = {
  endpoint: 'https://${namespace.properties.topicsConfiguration.hostname}'
  topic: topicName
  subscriptions: subscriptionNames
}
