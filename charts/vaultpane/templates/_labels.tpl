{{/* Refuses labels that are the chart's own: a second one of the name would win, and selectors no longer find their objects. */}}
{{- define "vaultpane.check.labels" -}}
{{- $selectors := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" -}}
{{- $all := concat $selectors (list "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart") -}}
{{- range list
  (list "commonLabels" .Values.commonLabels $all)
  (list "monitoring.labels" .Values.monitoring.labels $all)
  (list "monitoring.dashboard.labels" .Values.monitoring.dashboard.labels $all)
  (list "agent.podLabels" .Values.agent.podLabels $selectors)
  (list "controller.podLabels" .Values.controller.podLabels $selectors)
}}
{{- $field := index . 0 -}}
{{- $own := index . 2 -}}
{{- range $label, $_ := index . 1 -}}
{{- if has $label $own -}}
{{- fail (printf "%s.%s is a label of the chart's own; choose another" $field $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
