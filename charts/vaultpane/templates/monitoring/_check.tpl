{{/* Rejects monitoring that would have no data, and objects whose kind the cluster does not have. */}}
{{- define "vaultpane.check.monitoring" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if and $monitoring.prometheusRule.enabled (not $monitoring.serviceMonitor.enabled) (not $monitoring.prometheusRule.withoutServiceMonitor) -}}
{{- fail "monitoring.prometheusRule.enabled needs the controller's metrics, which nothing scrapes: set monitoring.serviceMonitor.enabled: true; if Prometheus scrapes the Service vaultpane-controller-metrics by your own configuration, set monitoring.prometheusRule.withoutServiceMonitor: true" -}}
{{- end -}}
{{- $group := splitList "/" $monitoring.apiVersion | first -}}
{{- $kinds := dict "serviceMonitor" (printf "servicemonitors.%s" $group) "podMonitor" (printf "podmonitors.%s" $group) "prometheusRule" "prometheusrules.monitoring.coreos.com" -}}
{{- range $part, $crd := $kinds -}}
{{- if (get $monitoring $part).enabled -}}
{{- if include "vaultpane.lacks" $crd -}}
{{- fail (printf "monitoring.%s.enabled is true, but the cluster has no CRD %s: install the CRDs of the Prometheus operator first, or set monitoring.%s.enabled: false" $part $crd $part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty if Helm is connected to a cluster that lacks the CRD. Such a cluster has the chart's own CRDs, which Helm installs before
it renders; helm template is not connected to any. */}}
{{- define "vaultpane.lacks" -}}
{{- if and (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "observedcertificates.vaultpane.dev") (not (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" .)) -}}
yes
{{- end -}}
{{- end -}}
