{{/* Writes the objects of a file below files/, a copy of a file in config/, with the namespace, service account names and labels of this
release; without the objects that the values turn off. Call with (dict "root" $ "path" "files/rbac/agent/role.yaml" "component" "agent"). */}}
{{- define "vaultpane.objects" -}}
{{- $root := .root -}}
{{- $accounts := dict "vaultpane-agent" $root.Values.agent.serviceAccount "vaultpane-controller" $root.Values.controller.serviceAccount -}}
{{- $user := printf "system:serviceaccount:%s:%s" (include "vaultpane.namespace" $root) $root.Values.agent.serviceAccount.name -}}
{{- $text := $root.Files.Get .path | replace "system:serviceaccount:vaultpane-system:vaultpane-agent" $user -}}
{{- range splitList "\n---\n" (trimPrefix "---\n" $text) }}
{{- $object := fromYaml . }}
{{- $wanted := or $root.Values.rbac.create (not (hasPrefix "rbac." $object.apiVersion)) }}
{{- if eq $object.metadata.namespace "vaultpane-system" }}
{{- $_ := set $object.metadata "namespace" (include "vaultpane.namespace" $root) }}
{{- end }}
{{- range $object.subjects }}
{{- $_ := set . "namespace" (include "vaultpane.namespace" $root) }}
{{- $_ := set . "name" (get $accounts .name).name }}
{{- end }}
{{- if and (eq $object.kind "Role") (eq $object.metadata.name "vaultpane-agent-trust") }}
{{- $_ := set (first $object.rules) "resourceNames" $root.Values.trust.configMaps }}
{{- end }}
{{- $_ := set $object.metadata "labels" (merge (include "vaultpane.labels" $ | fromYaml) ($object.metadata.labels | default dict)) }}
{{- if eq $object.kind "ServiceAccount" }}
{{- $account := get $accounts $object.metadata.name }}
{{- $wanted = $account.create }}
{{- $_ := set $object.metadata "name" $account.name }}
{{- with include "vaultpane.accountAnnotations" (dict "root" $root "account" $account) | fromYaml }}
{{- $_ := set $object.metadata "annotations" . }}
{{- end }}
{{- end }}
{{- if $wanted }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Annotations of a service account, with those of the workload identity webhook. */}}
{{- define "vaultpane.accountAnnotations" -}}
{{- $azure := include (eq .account.name .root.Values.agent.serviceAccount.name | ternary "vaultpane.agentIdentity" "vaultpane.controllerIdentity") .root | fromYaml -}}
{{- if include "vaultpane.webhook" $azure }}
{{- with $azure.clientId }}
azure.workload.identity/client-id: {{ . | quote }}
{{- end }}
{{- with $azure.tenantId }}
azure.workload.identity/tenant-id: {{ . | quote }}
{{- end }}
{{- end }}
{{- with .account.annotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
