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

{{/* The namespace of all namespaced objects except those of monitoring. */}}
{{- define "vaultpane.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* Labels that select pods. They never change, and do not contain the chart's version, so that an upgrade restarts only pods that changed. */}}
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

{{/* The imagePullSecrets of all pods, with those of the parent chart, which may be plain names. */}}
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

{{/* The startup taints (docs/startup-taint.md), always tolerated: without the agent they would never be removed. */}}
{{- define "vaultpane.tolerations" -}}
- key: vaultpane.dev/certificates-not-ready
  operator: Exists
- key: startup-taint.cluster-autoscaler.kubernetes.io/vaultpane-certificates-not-ready
  operator: Exists
{{- with . }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The selector of the nodes that run the agent, for the controller: the labels that the DaemonSets select by. */}}
{{- define "vaultpane.agentNodeSelector" -}}
{{- $extra := or .Values.agent.nodeSelector .Values.agent.linux.nodeSelector -}}
{{- if .Values.controller.agentNodeSelector -}}
{{ .Values.controller.agentNodeSelector }}
{{- else if and .Values.agent.enabled .Values.agent.linux.enabled -}}
{{- if $extra -}}
{{- fail "controller.agentNodeSelector is required when agents run on Windows and on Linux and have a nodeSelector, because one label selector cannot express both: give these nodes a common label and select it, as in vaultpane=yes" -}}
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
