{{/* Refuses monitoring that would show nothing, and objects whose kind the cluster does not have. */}}
{{- define "vaultpane.check.monitoring" -}}
{{- $monitoring := .Values.monitoring -}}
{{- if and $monitoring.prometheusRule.enabled (not $monitoring.serviceMonitor.enabled) (not $monitoring.prometheusRule.withoutServiceMonitor) -}}
{{- fail "monitoring.prometheusRule.enabled needs the controller's metrics, which nothing scrapes: set monitoring.serviceMonitor.enabled: true; where Prometheus scrapes the Service vaultpane-controller-metrics by a configuration of your own, set monitoring.prometheusRule.withoutServiceMonitor: true" -}}
{{- end -}}
{{- $group := splitList "/" $monitoring.apiVersion | first -}}
{{- $kinds := dict "serviceMonitor" (printf "servicemonitors.%s" $group) "podMonitor" (printf "podmonitors.%s" $group) "prometheusRule" "prometheusrules.monitoring.coreos.com" -}}
{{- range $part, $crd := $kinds -}}
{{- if (get $monitoring $part).enabled -}}
{{- if include "vaultpane.lacks" $crd -}}
{{- fail (printf "monitoring.%s.enabled is true, and the cluster has no CRD %s: install those of the Prometheus operator first, or set monitoring.%s.enabled: false" $part $crd $part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty where a cluster answers, and lacks the CRD: it has the chart's own, which Helm installs before it renders. For
helm template, none answers. */}}
{{- define "vaultpane.lacks" -}}
{{- if and (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "observedcertificates.vaultpane.dev") (not (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" .)) -}}
yes
{{- end -}}
{{- end -}}
