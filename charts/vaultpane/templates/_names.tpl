{{/* Labels of all objects. Call with (dict "root" $ "component" "agent"). */}}
{{- define "vaultpane.labels" -}}
{{ include "vaultpane.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The namespace of everything that has one but the objects of monitoring. */}}
{{- define "vaultpane.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* Labels that select pods. They never change, and pods have no label of the chart's version: an upgrade rolls only what it must. */}}
{{- define "vaultpane.selectorLabels" -}}
app.kubernetes.io/name: vaultpane
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The image of agent or controller. Call with (dict "root" $ "image" .Values.agent.image). */}}
{{- define "vaultpane.image" -}}
{{- $repository := .image.repository -}}
{{- with (.root.Values.global).imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
{{- if .image.digest -}}
{{ $repository }}@{{ .image.digest }}
{{- else -}}
{{ $repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The imagePullSecrets of all pods, with those of the parent chart, which may be names alone. */}}
{{- define "vaultpane.imagePullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets | default list -}}
{{- range (.Values.global).imagePullSecrets -}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- with uniq $secrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* The startup taints (docs/startup-taint.md), tolerated whatever the values say: without the agent they stay for ever. */}}
{{- define "vaultpane.tolerations" -}}
- key: vaultpane.dev/certificates-not-ready
  operator: Exists
- key: startup-taint.cluster-autoscaler.kubernetes.io/vaultpane-certificates-not-ready
  operator: Exists
{{- with . }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The labels of the nodes that run the agent, for the controller: what the DaemonSets have. */}}
{{- define "vaultpane.agentNodeSelector" -}}
{{- $extra := or .Values.agent.nodeSelector .Values.agent.linux.nodeSelector -}}
{{- if .Values.controller.agentNodeSelector -}}
{{ .Values.controller.agentNodeSelector }}
{{- else if and .Values.agent.enabled .Values.agent.linux.enabled -}}
{{- if $extra -}}
{{- fail "controller.agentNodeSelector is needed where agents run on Windows and on Linux and have a nodeSelector: no label selector can be made of two. Give your nodes one label for it, and name that, as in vaultpane=yes" -}}
{{- end -}}
kubernetes.io/os in (linux,windows)
{{- else -}}
{{- $labels := ternary (merge (dict "kubernetes.io/os" "linux") (.Values.agent.linux.nodeSelector | default dict)) (merge (dict "kubernetes.io/os" "windows") (.Values.agent.nodeSelector | default dict)) .Values.agent.linux.enabled -}}
{{- $terms := list -}}
{{- range $key, $value := $labels -}}
{{- $terms = append $terms (printf "%s=%s" $key $value) -}}
{{- end -}}
{{ join "," $terms }}
{{- end -}}
{{- end -}}
