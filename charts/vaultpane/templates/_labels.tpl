{{/* Rejects labels and annotations that the API server would reject, and labels that the chart sets itself: a duplicate would override
them, and selectors would no longer match. */}}
{{- define "vaultpane.check.labels" -}}
{{- $selectors := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- $all := concat $selectors (list "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart") -}}
{{- $key := "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$" -}}
{{- $value := "^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$" -}}
{{- range list
  (list "commonLabels" .Values.commonLabels $all $value)
  (list "monitoring.labels" .Values.monitoring.labels (concat $all (keys (.Values.commonLabels | default dict))) $value)
  (list "monitoring.dashboard.labels" .Values.monitoring.dashboard.labels (concat $all (keys (.Values.commonLabels | default dict))) $value)
  (list "agent.labels" .Values.agent.labels (concat $all (keys (.Values.commonLabels | default dict))) $value)
  (list "controller.labels" .Values.controller.labels (concat $all (keys (.Values.commonLabels | default dict))) $value)
  (list "agent.annotations" .Values.agent.annotations list "")
  (list "controller.annotations" .Values.controller.annotations list "")
  (list "agent.podLabels" .Values.agent.podLabels $selectors $value)
  (list "controller.podLabels" .Values.controller.podLabels $selectors $value)
  (list "agent.nodeSelector" .Values.agent.nodeSelector list $value)
  (list "agent.linux.nodeSelector" .Values.agent.linux.nodeSelector list $value)
  (list "controller.nodeSelector" .Values.controller.nodeSelector list $value)
  (list "agent.podAnnotations" .Values.agent.podAnnotations list "")
  (list "controller.podAnnotations" .Values.controller.podAnnotations list "")
  (list "agent.serviceAccount.annotations" .Values.agent.serviceAccount.annotations list "")
  (list "controller.serviceAccount.annotations" .Values.controller.serviceAccount.annotations list "")
  (list "monitoring.dashboard.annotations" .Values.monitoring.dashboard.annotations list "")
}}
{{- $field := index . 0 -}}
{{- $own := index . 2 -}}
{{- $pattern := index . 3 -}}
{{- range $label, $text := index . 1 -}}
{{- if has $label $own -}}
{{- fail (printf "%s.%s is set by the chart itself or by commonLabels; choose another label" $field $label) -}}
{{- else if not (regexMatch $key $label) -}}
{{- fail (printf "%s has the key %q, must be at most 63 letters, digits, '.', '_' and '-', beginning and ending with a letter or digit; optionally after a DNS name and a slash" $field $label) -}}
{{- end -}}
{{- include "vaultpane.check.one" (list (printf "%s.%s" $field $label) $text $pattern "the value of a label: at most 63 letters, digits, '.', '_' and '-', beginning and ending with a letter or digit") -}}
{{- end -}}
{{- end -}}
{{- range $label, $_ := .Values.monitoring.prometheusRule.alertLabels -}}
{{- if not (regexMatch "^[a-zA-Z_][a-zA-Z0-9_]*$" $label) -}}
{{- fail (printf "monitoring.prometheusRule.alertLabels has the key %q, must be the name of a Prometheus label: letters, digits and '_'" $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
