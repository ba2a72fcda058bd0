{{/* Refuses monitoring that would show nothing, and objects whose kind the cluster does not have. */}}
{{- define "vaultpane.check.monitoring" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if and $monitoring.prometheusRule.enabled (not $monitoring.serviceMonitor.enabled) (not $monitoring.prometheusRule.withoutServiceMonitor) -}}
{{- fail "monitoring.prometheusRule.enabled needs the controller's metrics, which nothing scrapes: set monitoring.serviceMonitor.enabled: true; where Prometheus scrapes the Service vaultpane-controller-metrics by a configuration of your own, set monitoring.prometheusRule.withoutServiceMonitor: true" -}}
{{- end -}}
{{- if lookup "v1" "Namespace" "" "kube-system" }}{{/* a cluster answers: helm template asks none, and knows no kinds of others */}}
{{- $kinds := dict "monitoring.serviceMonitor.enabled" (printf "%s/ServiceMonitor" $monitoring.apiVersion) "monitoring.podMonitor.enabled" (printf "%s/PodMonitor" $monitoring.apiVersion) "monitoring.prometheusRule.enabled" "monitoring.coreos.com/v1/PrometheusRule" -}}
{{- range $field, $kind := $kinds -}}
{{- $part := get $monitoring (splitList "." $field | rest | first) -}}
{{- if and $part.enabled (not ($.Capabilities.APIVersions.Has $kind)) -}}
{{- fail (printf "%s is true, and the cluster has no %s: install the Prometheus operator's CRDs first, or set %s: false" $field $kind $field) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
