{{/* Rejects values that are each valid but do not work together. */}}
{{- define "vaultpane.check.together" -}}
{{- $agent := .Values.agent -}}
{{- $azure := .Values.azure -}}
{{- if eq (toString .Values.enabled) "false" -}}
{{- fail "enabled is false: it is only for the condition of a parent chart; to install nothing, uninstall the release" -}}
{{- else if not (or $agent.enabled $agent.linux.enabled) -}}
{{- fail "agent.enabled and agent.linux.enabled are both false: no agent would install a certificate on any node" -}}
{{- else if eq $agent.serviceAccount.name .Values.controller.serviceAccount.name -}}
{{- fail (printf "agent.serviceAccount.name and controller.serviceAccount.name are both %q: each needs its own, because their permissions differ" $agent.serviceAccount.name) -}}
{{- else if and (not $agent.apiServer.host) (ne (int $agent.apiServer.port) 443) -}}
{{- fail "agent.apiServer.port has an effect only with agent.apiServer.host, which is empty" -}}
{{- else if and $azure.workloadIdentity.webhook (ne $azure.credential "workload-identity") -}}
{{- fail (printf "azure.workloadIdentity.webhook needs azure.credential workload-identity, which is %s" $azure.credential) -}}
{{- else if lt (include "vaultpane.seconds" $agent.storeCheckInterval | float64) 1.0 -}}
{{- fail (printf "agent.storeCheckInterval is %s, must be 1s or more" $agent.storeCheckInterval) -}}
{{- else if le (include "vaultpane.seconds" .Values.controller.expiringSoon | float64) 0.0 -}}
{{- fail (printf "controller.expiringSoon is %q: no certificate would count as expiring soon before it has expired; must be more than 0, such as 168h for a week" .Values.controller.expiringSoon) -}}
{{- else if regexMatch "\\s-" (first $agent.command) -}}
{{- fail (printf "agent.command[0] is %q, must be the executable alone: arguments would pass through cmd.exe, so use the values of the chart, or variables in agent.extraEnv" (first $agent.command)) -}}
{{- else if and (not $azure.caBundle.configMap) (ne $azure.caBundle.key "ca.crt") -}}
{{- fail (printf "azure.caBundle.key is %q, which has an effect only with azure.caBundle.configMap, which is empty" $azure.caBundle.key) -}}
{{- else if regexMatch "^/((bin|boot|dev|etc|home|lib|lib64|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|var/lib|var/log|var/run)/*$|(boot|dev|proc|sys|etc/ssl|etc/pki|etc/kubernetes|usr/share/ca-certificates|var/lib/kubelet|var/lib/containerd)(/|$))" $agent.linux.storePath -}}
{{- fail (printf "agent.linux.storePath is %q, which belongs to the system; must be a directory of its own, such as /var/lib/vaultpane/store" $agent.linux.storePath) -}}
{{- else if gt (include "vaultpane.seconds" $agent.initialSpread | float64) 3600.0 -}}
{{- fail (printf "agent.initialSpread is %s, must be 1h or less" $agent.initialSpread) -}}
{{- else if and .Values.trust.configMaps (not .Values.rbac.create) -}}
{{- fail "trust.configMaps has no effect with rbac.create: false; remove it, and give agents the right to read these ConfigMaps as config/trust does" -}}
{{- end -}}
{{- range $index, $name := .Values.trust.configMaps -}}
{{- if not (regexMatch "^[0-9a-z]([0-9a-z-]*[0-9a-z])?([.][0-9a-z]([0-9a-z-]*[0-9a-z])?)*$" $name) -}}
{{- fail (printf "trust.configMaps[%d] is %q, must be the name of a ConfigMap in the release's namespace: lower-case letters, digits, '-' and '.'" $index $name) -}}
{{- end -}}
{{- end -}}
{{- include "vaultpane.check.ports" $agent -}}
{{- end -}}

{{/* The agents use ports of the node, as kubelet and kube-proxy do
(https://kubernetes.io/docs/reference/networking/ports-and-protocols/). */}}
{{- define "vaultpane.check.ports" -}}
{{- range $field, $port := dict "agent.metrics.port" .metrics.port "agent.health.port" .health.port -}}
{{- if has (int $port) (list 10248 10249 10250 10255 10256) -}}
{{- fail (printf "%s is %v, which kubelet or kube-proxy uses on every node; choose another port" $field $port) -}}
{{- end -}}
{{- end -}}
{{- if and (ne (int .metrics.port) 0) (eq (int .metrics.port) (int .health.port)) -}}
{{- fail (printf "agent.metrics.port and agent.health.port are both %v; choose different ports" .metrics.port) -}}
{{- end -}}
{{- end -}}
