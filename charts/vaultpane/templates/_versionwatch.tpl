{{/* Not empty if the controller lists the versions of secrets. */}}
{{- define "vaultpane.versionWatch" -}}
{{- $enabled := toString .Values.controller.versionWatch.enabled -}}
{{- if or (eq $enabled "true") (and (eq $enabled "auto") .Values.controller.azure.credential) }}yes{{ end -}}
{{- end -}}

{{/* The controller's variables for the version watch, for Event Grid and for its identity. */}}
{{- define "vaultpane.versionWatchEnv" -}}
- name: VAULTPANE_VERSION_WATCH
  value: "true"
- name: VAULTPANE_VERSION_WATCH_INTERVAL
  value: {{ .Values.controller.versionWatch.interval | quote }}
{{- with .Values.controller.versionWatch.eventGrid }}
{{- if .endpoint }}
- name: VAULTPANE_EVENT_GRID_ENDPOINT
  value: {{ .endpoint | quote }}
- name: VAULTPANE_EVENT_GRID_TOPIC
  value: {{ .topic | quote }}
- name: VAULTPANE_EVENT_GRID_SUBSCRIPTION
  value: {{ .subscription | quote }}
{{- end }}
{{- end }}
{{- with include "vaultpane.allowedHostsEnv" . | trim }}
{{ . }}
{{- end }}
{{ include "vaultpane.azureEnv" (include "vaultpane.controllerIdentity" . | fromYaml) }}
{{- end -}}

{{/* Rejects settings of the version watch that are not used, and a watch without an identity. */}}
{{- define "vaultpane.check.versionWatch" -}}
{{- $watch := .Values.controller.versionWatch -}}
{{- $azure := .Values.controller.azure -}}
{{- $grid := $watch.eventGrid -}}
{{- $empty := list -}}
{{- range $field := list "endpoint" "topic" "subscription" -}}
{{- if not (get $grid $field) }}{{ $empty = append $empty $field }}{{ end -}}
{{- end -}}
{{- $used := list -}}
{{- range $field := list "clientId" "tenantId" "existingSecret" -}}
{{- if get $azure $field }}{{ $used = append $used $field }}{{ end -}}
{{- end -}}
{{- if $azure.workloadIdentity.webhook }}{{ $used = append $used "workloadIdentity.webhook" }}{{ end -}}
{{- if and (not $azure.credential) $used -}}
{{- fail (printf "controller.azure.%s is set, and controller.azure.credential is empty, so the controller has no identity; set controller.azure.credential to workload-identity, managed-identity, environment or default" (first $used)) -}}
{{- else if and (eq (toString $watch.enabled) "true") (not $azure.credential) -}}
{{- fail "controller.versionWatch.enabled is true, and controller.azure.credential is empty: the controller needs an identity of its own with the role Key Vault Reader; set controller.azure.credential, and clientId and tenantId as its credential needs them" -}}
{{- else if and $azure.workloadIdentity.webhook (ne $azure.credential "workload-identity") -}}
{{- fail (printf "controller.azure.workloadIdentity.webhook needs controller.azure.credential workload-identity, which is %s" $azure.credential) -}}
{{- else if and $empty (ne (len $empty) 3) -}}
{{- fail (printf "controller.versionWatch.eventGrid.%s is empty; set endpoint, topic and subscription, or none of them" (first $empty)) -}}
{{- else if and (not $empty) (not (include "vaultpane.versionWatch" .)) -}}
{{- fail "controller.versionWatch.eventGrid has an effect only while the version watch is on: set controller.azure.credential, and leave controller.versionWatch.enabled at auto, or remove eventGrid" -}}
{{- end -}}
{{- $seconds := include "vaultpane.seconds" $watch.interval | float64 -}}
{{- if or (lt $seconds 1.0) (gt $seconds 86400.0) -}}
{{- fail (printf "controller.versionWatch.interval is %s, must be 1s to 24h" $watch.interval) -}}
{{- end -}}
{{- end -}}
