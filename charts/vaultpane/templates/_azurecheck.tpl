{{/* Rejects identities with which no pod could sign in, and values that contradict each other about an identity. */}}
{{- define "vaultpane.check.azure" -}}
{{- include "vaultpane.check.identity" (dict "root" . "identity" (include "vaultpane.agentIdentity" . | fromYaml)) -}}
{{- $controller := include "vaultpane.controllerIdentity" . | fromYaml -}}
{{- if $controller.credential -}}
{{- include "vaultpane.check.identity" (dict "root" . "identity" $controller) -}}
{{- end -}}
{{- include "vaultpane.check.webhook" . -}}
{{- include "vaultpane.check.versionWatch" . -}}
{{- end -}}

{{/* Call with (dict "root" $ "identity" IDENTITY). */}}
{{- define "vaultpane.check.identity" -}}
{{- $field := .identity.field -}}
{{- $credential := toString .identity.credential -}}
{{- if not (has $credential (list "default" "workload-identity" "managed-identity" "environment" "azure-cli")) -}}
{{- $meant := get (dict "msi" "managed-identity" "managedidentity" "managed-identity" "userassigned" "managed-identity" "systemassigned" "managed-identity" "workloadidentity" "workload-identity" "federated" "workload-identity" "serviceprincipal" "environment" "clientsecret" "environment") ($credential | lower | replace "-" "" | replace "_" "" | replace " " "") -}}
{{- fail (printf "%s.credential is %q, must be workload-identity, managed-identity, environment or default%s" $field $credential ($meant | empty | ternary "" (printf "; for %s, write %s" $credential $meant))) -}}
{{- else if eq $credential "azure-cli" -}}
{{- fail (printf "%s.credential is azure-cli, which uses the login of a person on the same machine: it is for development, and a node has no such login; use workload-identity, managed-identity or environment" $field) -}}
{{- end -}}
{{- include "vaultpane.check.ids" .identity -}}
{{- include "vaultpane.check.secret" . -}}
{{- end -}}

{{- define "vaultpane.check.ids" -}}
{{- $identity := . -}}
{{- range $field, $value := pick . "clientId" "tenantId" -}}
{{- if regexMatch "^[0-]+$" ($value | default "") -}}
{{- fail (printf "%s.%s is %q, a GUID of zeros, which is a placeholder" $identity.field $field $value) -}}
{{- end -}}
{{- end -}}
{{- if and .clientId (eq (lower .clientId) (lower (.tenantId | default ""))) -}}
{{- fail (printf "%[1]s.clientId and %[1]s.tenantId are both %[2]q; 'az identity show --query \"[clientId, tenantId]\"' prints both" .field .clientId) -}}
{{- else if and .tenantId (eq .credential "managed-identity") -}}
{{- fail (printf "%[1]s.tenantId is %[2]q, and %[1]s.credential managed-identity uses the tenant of the machine: remove %[1]s.tenantId, or use the credential that has one, workload-identity or environment" .field .tenantId) -}}
{{- end -}}
{{- end -}}

{{/* Rejects a missing client secret, and a tenant that the credential would not use. Call as check.identity. */}}
{{- define "vaultpane.check.secret" -}}
{{- $azure := .identity -}}
{{- $extraEnv := (get .root.Values $azure.pods).extraEnv -}}
{{- $names := list -}}
{{- range $extraEnv }}{{ $names = append $names .name }}{{ end -}}
{{- $secret := or $azure.existingSecret (has "AZURE_CLIENT_SECRET" $names) (has "AZURE_CLIENT_CERTIFICATE_PATH" $names) -}}
{{- if and (eq $azure.credential "environment") (not $secret) -}}
{{- fail (printf "%[1]s.credential environment needs a client secret: name the Secret with AZURE_CLIENT_SECRET in %[1]s.existingSecret%[2]s" $azure.field (empty $names | ternary "" (printf "; %s.extraEnv has only %s" $azure.pods (join ", " $names)))) -}}
{{- else if and (eq $azure.credential "environment") (not $azure.existingSecret) -}}
{{- range $field, $name := dict "clientId" "AZURE_CLIENT_ID" "tenantId" "AZURE_TENANT_ID" -}}
{{- if not (or (get $azure $field) (has $name $names)) -}}
{{- fail (printf "%[1]s.%[2]s is empty; %[1]s.credential environment needs it in addition to the client secret" $azure.field $field) -}}
{{- end -}}
{{- end -}}
{{- else if and (eq $azure.credential "default") $azure.tenantId (not $secret) (not (has "AZURE_FEDERATED_TOKEN_FILE" $names)) (not (has "AZURE_TOKEN_CREDENTIALS" $names)) -}}{{/* which names another credential */}}
{{- fail (printf "%[1]s.tenantId is %[2]q, and %[1]s.credential is default, which without a client secret is the machine's managed identity and uses no tenant: set %[1]s.credential to workload-identity (a federated token of %[1]s.clientId), or to environment with %[1]s.existingSecret (a client secret), or remove %[1]s.tenantId" $azure.field $azure.tenantId) -}}
{{- end -}}
{{- end -}}

{{/* Labels and annotations of the Azure Workload Identity webhook
(https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html) belong to
azure.workloadIdentity.webhook and controller.azure.workloadIdentity.webhook, and must not contradict the identity. */}}
{{- define "vaultpane.check.webhook" -}}
{{- $identities := dict "agent" (include "vaultpane.agentIdentity" . | fromYaml) "controller" (include "vaultpane.controllerIdentity" . | fromYaml) -}}
{{- range $pods, $azure := $identities -}}
{{- $of := get $.Values $pods -}}
{{- range $place, $map := dict "podLabels" $of.podLabels "podAnnotations" $of.podAnnotations "serviceAccount.annotations" $of.serviceAccount.annotations -}}
{{- range $key, $value := $map -}}
{{- if hasPrefix "azure.workload.identity/" $key -}}
{{- include "vaultpane.check.webhookKey" (dict "at" (printf "%s.%s.%s" $pods $place $key) "place" $place "key" (trimPrefix "azure.workload.identity/" $key) "value" $value "azure" $azure) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $account := $of.serviceAccount -}}
{{- if and (include "vaultpane.webhook" $azure) $account.create (not $azure.clientId) (not (hasKey ($account.annotations | default dict) "azure.workload.identity/client-id")) -}}
{{- fail (printf "%[1]s.clientId is empty; the webhook reads the client id from the %[2]s service account, where the chart puts %[1]s.clientId" $azure.field (eq $pods "agent" | ternary "agents'" "controller's")) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := .Values.commonLabels -}}
{{- if hasPrefix "azure.workload.identity/" $key -}}
{{- fail (printf "commonLabels.%s is for pods that sign in to Azure, and not all do; remove it, and set azure.workloadIdentity.webhook: true for the agents, controller.azure.workloadIdentity.webhook: true for the controller" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.check.webhookKey" -}}
{{- $places := dict "use" "podLabels" "client-id" "serviceAccount.annotations" "tenant-id" "serviceAccount.annotations" -}}
{{- $place := get $places .key -}}
{{- $own := get (dict "client-id" .azure.clientId "tenant-id" .azure.tenantId) .key -}}
{{- if not (include "vaultpane.webhook" .azure) -}}
{{- fail (printf "%[1]s is for the Azure Workload Identity webhook, which these values do not use: set %[2]s.credential: workload-identity and %[2]s.workloadIdentity.webhook: true, or remove it; without the webhook, the chart projects the token of %[2]s.clientId and %[2]s.tenantId itself" .at .azure.field) -}}
{{- else if and $place (ne $place .place) -}}
{{- fail (printf "%s has no effect there; it belongs to %s.%s" .at .azure.pods $place) -}}
{{- else if and (eq .key "use") (ne .value "true") -}}
{{- fail (printf "%s is %q, which contradicts %s.workloadIdentity.webhook: true; remove one of the two" .at .value .azure.field) -}}
{{- else if and $own (ne (lower $own) (lower .value)) -}}
{{- fail (printf "%s is %q, and %s.%s is %q; remove one of the two" .at .value .azure.field (eq .key "client-id" | ternary "clientId" "tenantId") $own) -}}
{{- end -}}
{{- end -}}
