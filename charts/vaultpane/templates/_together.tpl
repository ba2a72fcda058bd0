{{/* Refuses values that are right each for itself, and cannot work together. */}}
{{- define "vaultpane.check.together" -}}
{{- $agent := .Values.agent -}}
{{- $azure := .Values.azure -}}
{{- if eq (toString .Values.enabled) "false" -}}
{{- fail "enabled is false: it is for the condition of a parent chart alone; to have nothing installed, uninstall" -}}
{{- else if not (or $agent.enabled $agent.linux.enabled) -}}
{{- fail "agent.enabled and agent.linux.enabled are both false: no agent would install a certificate on any node" -}}
{{- else if eq $agent.serviceAccount.name .Values.controller.serviceAccount.name -}}
{{- fail (printf "agent.serviceAccount.name and controller.serviceAccount.name are both %q: each needs its own, for their rights differ" $agent.serviceAccount.name) -}}
{{- else if and (not $agent.apiServer.host) (ne (int $agent.apiServer.port) 443) -}}
{{- fail "agent.apiServer.port counts only with agent.apiServer.host, which is empty" -}}
{{- else if and $azure.workloadIdentity.webhook (ne $azure.credential "workload-identity") -}}
{{- fail (printf "azure.workloadIdentity.webhook needs azure.credential workload-identity, which is %s" $azure.credential) -}}
{{- else if and (eq $azure.credential "environment") (not $azure.existingSecret) (not $agent.extraEnv) -}}
{{- fail "azure.credential environment needs a client secret: name the Secret with AZURE_CLIENT_SECRET in azure.existingSecret" -}}
{{- else if lt (include "vaultpane.seconds" $agent.storeCheckInterval | float64) 1.0 -}}
{{- fail (printf "agent.storeCheckInterval is %s, must be 1s or more" $agent.storeCheckInterval) -}}
{{- else if gt (include "vaultpane.seconds" $agent.initialSpread | float64) 3600.0 -}}
{{- fail (printf "agent.initialSpread is %s, must be 1h or less" $agent.initialSpread) -}}
{{- end -}}
{{- range $field, $selector := dict "agent.nodeSelector windows" $agent.nodeSelector "agent.linux.nodeSelector linux" $agent.linux.nodeSelector "controller.nodeSelector linux" .Values.controller.nodeSelector -}}
{{- $words := splitList " " $field -}}
{{- $system := get ($selector | default dict) "kubernetes.io/os" | default (last $words) -}}
{{- if ne $system (last $words) -}}
{{- fail (printf "%s.kubernetes.io/os is %q, must be %s or left out" (first $words) $system (last $words)) -}}
{{- end -}}
{{- end -}}
{{- include "vaultpane.check.ports" $agent -}}
{{- end -}}

{{/* The agents' ports are the node's, where kubelet and kube-proxy have theirs
(https://kubernetes.io/docs/reference/networking/ports-and-protocols/). */}}
{{- define "vaultpane.check.ports" -}}
{{- range $field, $port := dict "agent.metrics.port" .metrics.port "agent.health.port" .health.port -}}
{{- if has (int $port) (list 10248 10249 10250 10255 10256) -}}
{{- fail (printf "%s is %v, which kubelet or kube-proxy has on every node; choose another" $field $port) -}}
{{- end -}}
{{- end -}}
{{- if and (ne (int .metrics.port) 0) (eq (int .metrics.port) (int .health.port)) -}}
{{- fail (printf "agent.metrics.port and agent.health.port are both %v; choose another for one of them" .metrics.port) -}}
{{- end -}}
{{- end -}}
