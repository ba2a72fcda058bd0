{{/*
The two Azure identities: azure for the agents, controller.azure for the controller's version watch. An identity is the dict of its
settings with two more keys: field, the name of its values, and pods, agent or controller.
*/}}

{{/* The agents' identity, as YAML. */}}
{{- define "vaultpane.agentIdentity" -}}
{{- merge (dict "field" "azure" "pods" "agent") .Values.azure | toYaml -}}
{{- end -}}

{{/* The controller's identity, as YAML. It shares with the agents what does not depend on the identity. */}}
{{- define "vaultpane.controllerIdentity" -}}
{{- $own := .Values.controller.azure -}}
{{- $identity := merge (dict "field" "controller.azure" "pods" "controller") (pick $own "credential" "clientId" "tenantId" "existingSecret") (pick .Values.azure "authorityHost" "caBundle") -}}
{{- set $identity "workloadIdentity" (merge (dict "webhook" $own.workloadIdentity.webhook) .Values.azure.workloadIdentity) | toYaml -}}
{{- end -}}

{{/* Not empty if the workload identity webhook provides the token of an identity. */}}
{{- define "vaultpane.webhook" -}}
{{- if and (eq .credential "workload-identity") .workloadIdentity.webhook }}yes{{ end -}}
{{- end -}}

{{/* Not empty if the chart projects the federated token of an identity itself. */}}
{{- define "vaultpane.azureToken" -}}
{{- if and (eq .credential "workload-identity") (not .workloadIdentity.webhook) -}}
{{- if not .clientId -}}
{{- fail (printf "%[1]s.clientId is empty; %[1]s.credential workload-identity needs the client id of the identity ('az identity show --query clientId'), or %[1]s.workloadIdentity.webhook: true" .field) -}}
{{- end -}}
{{- if not .tenantId -}}
{{- fail (printf "%[1]s.tenantId is empty; %[1]s.credential workload-identity needs the tenant of the identity ('az account show --query tenantId'), or %[1]s.workloadIdentity.webhook: true" .field) -}}
{{- end -}}
yes
{{- end -}}
{{- end -}}

{{/* The variables of an identity. With the webhook, the webhook sets them. */}}
{{- define "vaultpane.azureEnv" -}}
- name: VAULTPANE_CREDENTIAL
  value: {{ .credential | quote }}
{{- with .authorityHost }}
- name: VAULTPANE_AUTHORITY_HOST
  value: {{ . | quote }}
{{- end }}
{{- if not (include "vaultpane.webhook" .) }}
{{- with .clientId }}
- name: AZURE_CLIENT_ID
  value: {{ . | quote }}
{{- end }}
{{- with .tenantId }}
- name: AZURE_TENANT_ID
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if include "vaultpane.azureToken" . }}
- name: AZURE_FEDERATED_TOKEN_FILE
  value: /var/run/secrets/vaultpane/azure/token
{{- end }}
{{- if .caBundle.configMap }}
- name: VAULTPANE_CA_BUNDLE
  value: {{ printf "/var/run/secrets/vaultpane/ca/%s" .caBundle.key | quote }}
{{- end }}
{{- end -}}

{{/* The hosts that may receive tokens of any identity. */}}
{{- define "vaultpane.allowedHostsEnv" -}}
{{- with .Values.agent.allowedVaultHosts }}
- name: VAULTPANE_ALLOWED_VAULT_HOSTS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.agent.disableChallengeResourceVerification }}
- name: VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION
  value: {{ kindIs "slice" . | ternary . (list "true") | join "," | quote }}
{{- end }}
{{- end -}}

{{/* The mounts of an identity: its federated token and the CA certificates. */}}
{{- define "vaultpane.azureMounts" -}}
{{- if include "vaultpane.azureToken" . }}
- name: azure-token
  mountPath: /var/run/secrets/vaultpane/azure
  readOnly: true
{{- end }}
{{- if .caBundle.configMap }}
- name: ca-bundle
  mountPath: /var/run/secrets/vaultpane/ca
  readOnly: true
{{- end }}
{{- end -}}

{{- define "vaultpane.azureVolumes" -}}
{{- if include "vaultpane.azureToken" . }}
- name: azure-token
  projected:
    sources:
      - serviceAccountToken:
          path: token
          audience: {{ .workloadIdentity.audience | quote }}
          expirationSeconds: {{ .workloadIdentity.expirationSeconds | int }}
{{- end }}
{{- with .caBundle.configMap }}
- name: ca-bundle
  configMap:
    name: {{ . | quote }}
{{- end }}
{{- end -}}
