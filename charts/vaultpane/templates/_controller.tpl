{{/* Labels and annotations of these pods. Call with (dict "root" $ "component" "controller"). */}}
{{- define "vaultpane.controllerPodMetadata" -}}
{{- $labels := .root.Values.controller.podLabels | default dict -}}
{{- $webhook := include "vaultpane.webhook" (include "vaultpane.controllerIdentity" .root | fromYaml) -}}
{{- if and $webhook (eq .component "controller") (include "vaultpane.versionWatch" .root) -}}
{{- $labels = merge (dict "azure.workload.identity/use" "true") $labels -}}
{{- else if $webhook -}}{{/* the hooks do not sign in */}}
{{- $labels = omit $labels "azure.workload.identity/use" -}}
{{- end -}}
labels:
  {{- include "vaultpane.selectorLabels" . | nindent 2 }}
  {{- with $labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.controller.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What the pods of the controller and of the hooks have in common: trusted nodes, and the Pod Security level restricted.
Call with (dict "root" $ "account" "vaultpane-controller"). */}}
{{- define "vaultpane.controllerPod" -}}
{{- with include "vaultpane.imagePullSecrets" .root }}
{{ . }}
{{- end }}
{{- with .root.Values.controller.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
nodeSelector:
  {{- toYaml (merge (dict "kubernetes.io/os" "linux") (.root.Values.controller.nodeSelector | default dict)) | nindent 2 }}
tolerations:
  {{- include "vaultpane.tolerations" .root.Values.controller.tolerations | nindent 2 }}
serviceAccountName: {{ .account | quote }}
automountServiceAccountToken: true
enableServiceLinks: false # a Service named vaultpane-x would set VAULTPANE_X_PORT
securityContext:
  runAsNonRoot: true # the image's user is 65532; OpenShift assigns a user from the namespace's range, and admits no other
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{/* The container of the controller and of the hooks, after its name and up to env, to which more variables can be added. */}}
{{- define "vaultpane.controllerContainer" -}}
image: {{ include "vaultpane.image" (dict "root" . "image" .Values.controller.image) | quote }}
imagePullPolicy: {{ .Values.controller.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  - name: VAULTPANE_LOG_LEVEL
    value: {{ .Values.controller.logLevel | int | quote }}
  - name: VAULTPANE_LOG_FORMAT
    value: {{ .Values.controller.logFormat | quote }}
{{- end -}}

{{/* The variables of the controller, which the hooks do not have. */}}
{{- define "vaultpane.controllerEnv" -}}
{{- $own := include "vaultpane.controllerSettings" . -}}
{{ $own }}
{{- with include "vaultpane.extraEnv" (dict "field" "controller.extraEnv" "extra" .Values.controller.extraEnv "own" (printf "%s\n%s" $own (include "vaultpane.controllerContainer" .)) "known" (.Files.Get "files/variables.yaml" | fromYaml).controller) }}
{{ . }}
{{- end }}
{{- end -}}

{{- define "vaultpane.controllerSettings" -}}
- name: VAULTPANE_AGENT_NODE_SELECTOR
  value: {{ include "vaultpane.agentNodeSelector" . | quote }}
- name: VAULTPANE_EXPIRING_SOON
  value: {{ .Values.controller.expiringSoon | quote }}
- name: VAULTPANE_WATCH_EVENT_BUDGET
  value: {{ .Values.controller.watchEventBudget | int | quote }}
{{- if include "vaultpane.versionWatch" . }}
{{ include "vaultpane.versionWatchEnv" . }}
{{- end }}
{{- with include "vaultpane.goMemoryLimit" .Values.controller.resources }}
{{ . }}
{{- end }}
{{- end -}}
