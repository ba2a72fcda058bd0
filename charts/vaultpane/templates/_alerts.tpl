{{/* The alerts of files/alerts.yaml, without the disabled ones, with the labels of the values, and with controller.expiringSoon as
the threshold. */}}
{{- define "vaultpane.alerts" -}}
{{- $values := .Values.monitoring.prometheusRule -}}
{{- $soon := include "vaultpane.seconds" .Values.controller.expiringSoon | float64 | int64 -}}
{{- $alerts := .Files.Get "files/alerts.yaml" | replace "< 604800 > 0" (printf "< %d > 0" $soon) | fromYaml -}}
{{- $known := list -}}
{{- range $group := $alerts.groups -}}
{{- $kept := list -}}
{{- range $rule := $group.rules -}}
{{- $known = append $known $rule.alert -}}
{{- if not (has $rule.alert ($values.disabled | default list)) -}}
{{- $runbook := dict "runbook_url" (printf "%s/blob/main/docs/operations.md#watching" $.Chart.Home) -}}
{{- $kept = append $kept (mergeOverwrite $rule (dict "labels" ($values.alertLabels | default dict) "annotations" $runbook)) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $group "rules" $kept -}}
{{- end -}}
{{- range $index, $name := $values.disabled -}}
{{- if not (has $name $known) -}}
{{- fail (printf "monitoring.prometheusRule.disabled[%d] is %q, which is not an alert of this chart; its alerts are %s" $index $name (join ", " $known)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $alerts -}}
{{- end -}}
