{{/* Rejects an identity with which no agent could sign in, and values that contradict each other about the identity. */}}
{{- define "vaultpane.check.azure" -}}
{{- $azure := .Values.azure -}}
{{- $credential := toString $azure.credential -}}
{{- if not (has $credential (list "default" "workload-identity" "managed-identity" "environment" "azure-cli")) -}}
{{- $meant := get (dict "msi" "managed-identity" "managedidentity" "managed-identity" "userassigned" "managed-identity" "systemassigned" "managed-identity" "workloadidentity" "workload-identity" "federated" "workload-identity" "serviceprincipal" "environment" "clientsecret" "environment") ($credential | lower | replace "-" "" | replace "_" "" | replace " " "") -}}
{{- fail (printf "azure.credential is %q, must be workload-identity, managed-identity, environment or default%s" $credential ($meant | empty | ternary "" (printf "; for %s, write %s" $credential $meant))) -}}
{{- else if eq $credential "azure-cli" -}}
{{- fail "azure.credential is azure-cli, which uses the login of a person on the same machine: it is for development, and a node has no such login; use workload-identity, managed-identity or environment" -}}
{{- end -}}
{{- include "vaultpane.check.ids" $azure -}}
{{- include "vaultpane.check.secret" . -}}
{{- include "vaultpane.check.webhook" . -}}
{{- end -}}

{{- define "vaultpane.check.ids" -}}
{{- range $field, $value := pick . "clientId" "tenantId" -}}
{{- if regexMatch "^[0-]+$" ($value | default "") -}}
{{- fail (printf "azure.%s is %q, a GUID of zeros, which is a placeholder" $field $value) -}}
{{- end -}}
{{- end -}}
{{- if and .clientId (eq (lower .clientId) (lower (.tenantId | default ""))) -}}
{{- fail (printf "azure.clientId and azure.tenantId are both %q; 'az identity show --query \"[clientId, tenantId]\"' prints both" .clientId) -}}
{{- else if and .tenantId (eq .credential "managed-identity") -}}
{{- fail (printf "azure.tenantId is %q, and azure.credential managed-identity uses the tenant of the machine: remove azure.tenantId, or use the credential that has one, workload-identity or environment" .tenantId) -}}
{{- end -}}
{{- end -}}

{{/* Rejects a missing client secret, and a tenant that the credential would not use. */}}
{{- define "vaultpane.check.secret" -}}
{{- $azure := .Values.azure -}}
{{- $names := list -}}
{{- range .Values.agent.extraEnv }}{{ $names = append $names .name }}{{ end -}}
{{- $secret := or $azure.existingSecret (has "AZURE_CLIENT_SECRET" $names) (has "AZURE_CLIENT_CERTIFICATE_PATH" $names) -}}
{{- if and (eq $azure.credential "environment") (not $secret) -}}
{{- fail (printf "azure.credential environment needs a client secret: name the Secret with AZURE_CLIENT_SECRET in azure.existingSecret%s" (empty $names | ternary "" (printf "; agent.extraEnv has only %s" (join ", " $names)))) -}}
{{- else if and (eq $azure.credential "environment") (not $azure.existingSecret) -}}
{{- range $field, $name := dict "clientId" "AZURE_CLIENT_ID" "tenantId" "AZURE_TENANT_ID" -}}
{{- if not (or (get $azure $field) (has $name $names)) -}}
{{- fail (printf "azure.%s is empty; azure.credential environment needs it in addition to the client secret" $field) -}}
{{- end -}}
{{- end -}}
{{- else if and (eq $azure.credential "default") $azure.tenantId (not $secret) (not (has "AZURE_FEDERATED_TOKEN_FILE" $names)) (not (has "AZURE_TOKEN_CREDENTIALS" $names)) -}}{{/* which names another credential */}}
{{- fail (printf "azure.tenantId is %q, and azure.credential is default, which without a client secret is the machine's managed identity and uses no tenant: set azure.credential to workload-identity (a federated token of azure.clientId), or to environment with azure.existingSecret (a client secret), or remove azure.tenantId" $azure.tenantId) -}}
{{- end -}}
{{- end -}}

{{/* Labels and annotations of the Azure Workload Identity webhook
(https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html) belong to
azure.workloadIdentity.webhook, and must not contradict azure. */}}
{{- define "vaultpane.check.webhook" -}}
{{- $values := .Values -}}
{{- range $field, $map := dict "agent.podLabels" $values.agent.podLabels "agent.podAnnotations" $values.agent.podAnnotations "agent.serviceAccount.annotations" $values.agent.serviceAccount.annotations "controller.podLabels" $values.controller.podLabels "controller.podAnnotations" $values.controller.podAnnotations "controller.serviceAccount.annotations" $values.controller.serviceAccount.annotations "commonLabels" $values.commonLabels -}}
{{- range $key, $value := $map -}}
{{- if hasPrefix "azure.workload.identity/" $key -}}
{{- $at := printf "%s.%s" $field $key -}}
{{- if not (hasPrefix "agent." $field) -}}
{{- fail (printf "%s is for pods that sign in to Azure, and only the agents' pods do; remove it, and set azure.credential: workload-identity" $at) -}}
{{- else if not (include "vaultpane.webhook" (dict "Values" $values)) -}}
{{- fail (printf "%s is for the Azure Workload Identity webhook, which these values do not use: set azure.credential: workload-identity and azure.workloadIdentity.webhook: true, or remove it; without the webhook, the chart projects the token of azure.clientId and azure.tenantId itself" $at) -}}
{{- end -}}
{{- include "vaultpane.check.webhookKey" (dict "at" $at "field" $field "key" (trimPrefix "azure.workload.identity/" $key) "value" $value "azure" $values.azure) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $account := $values.agent.serviceAccount -}}
{{- if and (include "vaultpane.webhook" .) $account.create (not $values.azure.clientId) (not (hasKey ($account.annotations | default dict) "azure.workload.identity/client-id")) -}}
{{- fail "azure.clientId is empty; the webhook reads the client id from the agents' service account, where the chart puts azure.clientId" -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.check.webhookKey" -}}
{{- $places := dict "use" "agent.podLabels" "client-id" "agent.serviceAccount.annotations" "tenant-id" "agent.serviceAccount.annotations" -}}
{{- $place := get $places .key -}}
{{- $own := get (dict "client-id" .azure.clientId "tenant-id" .azure.tenantId) .key -}}
{{- if and $place (ne $place .field) -}}
{{- fail (printf "%s has no effect there; it belongs to %s" .at $place) -}}
{{- else if and (eq .key "use") (ne .value "true") -}}
{{- fail (printf "%s is %q, which contradicts azure.workloadIdentity.webhook: true; remove one of the two" .at .value) -}}
{{- else if and $own (ne (lower $own) (lower .value)) -}}
{{- fail (printf "%s is %q, and azure.%s is %q; remove one of the two" .at .value (eq .key "client-id" | ternary "clientId" "tenantId") $own) -}}
{{- end -}}
{{- end -}}
