{{/* The agents' variables. Call with (dict "root" $ "resources" .Values.agent.resources), and "storePath" for Linux. */}}
{{- define "vaultpane.agentEnv" -}}
{{- $own := include "vaultpane.agentSettings" . -}}
{{ $own }}
{{- with include "vaultpane.extraEnv" (dict "field" "agent.extraEnv" "extra" .root.Values.agent.extraEnv "own" $own "known" (.root.Files.Get "files/variables.yaml" | fromYaml).agent) }}
{{ . }}
{{- end }}
{{- end -}}

{{/* The agents' settings, as environment variables: the command line of a HostProcess container passes through cmd.exe. Call as
agentEnv. */}}
{{- define "vaultpane.agentSettings" -}}
{{- $agent := .root.Values.agent -}}
- name: NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- with include "vaultpane.goMemoryLimit" .resources }}
{{ . }}
{{- end }}
{{- with $agent.apiServer.host }}
- name: KUBERNETES_SERVICE_HOST
  value: {{ . | quote }}
- name: KUBERNETES_SERVICE_PORT
  value: {{ $agent.apiServer.port | int | quote }}
{{- end }}
- name: VAULTPANE_LOG_LEVEL
  value: {{ $agent.logLevel | int | quote }}
- name: VAULTPANE_LOG_FORMAT
  value: {{ $agent.logFormat | quote }}
{{- with .storePath }}
- name: VAULTPANE_STORE_PATH
  value: {{ . | quote }}
{{- else }}
- name: VAULTPANE_HOST_LOG_RETENTION_DAYS
  value: {{ $agent.logRetentionDays | int | quote }}
{{- end }}
- name: VAULTPANE_WORKERS
  value: {{ $agent.workers | int | quote }}
- name: VAULTPANE_INITIAL_SPREAD
  value: {{ $agent.initialSpread | quote }}
- name: VAULTPANE_STORE_CHECK_INTERVAL
  value: {{ $agent.storeCheckInterval | quote }}
{{- with $agent.allowedServices }}
- name: VAULTPANE_ALLOWED_SERVICES
  value: {{ join "," . | quote }}
{{- end }}
- name: VAULTPANE_VAULT_REQUESTS_PER_SECOND
  value: {{ $agent.vaultRequestsPerSecond | int | quote }}
{{- with include "vaultpane.allowedHostsEnv" .root | trim }}
{{ . }}
{{- end }}
- name: VAULTPANE_METRICS_BIND_ADDRESS
  value: {{ include "vaultpane.agentAddress" (dict "address" $agent.metrics.address "port" $agent.metrics.port) | quote }}
- name: VAULTPANE_HEALTH_PROBE_BIND_ADDRESS
  value: {{ include "vaultpane.agentAddress" (dict "address" "127.0.0.1" "port" $agent.health.port) | quote }}
{{ include "vaultpane.azureEnv" (include "vaultpane.agentIdentity" .root | fromYaml) }}
{{- end -}}

{{- define "vaultpane.agentAddress" -}}
{{- if eq (int .port) 0 }}0{{ else }}{{ contains ":" (.address | default "") | ternary (printf "[%s]" .address) .address }}:{{ int .port }}{{ end -}}
{{- end -}}

{{- define "vaultpane.agentPorts" -}}
{{- range $name, $port := dict "health" .health.port "metrics" .metrics.port }}
{{- if ne (int $port) 0 }}
- name: {{ $name }}
  containerPort: {{ int $port }}
  protocol: TCP
{{- end }}
{{- end }}
{{- end -}}

{{/* The container's settings that Windows and Linux share, after its name. Call as agentEnv. */}}
{{- define "vaultpane.agentContainer" -}}
{{- $agent := .root.Values.agent -}}
image: {{ include "vaultpane.image" (dict "root" .root "image" $agent.image) | quote }}
imagePullPolicy: {{ $agent.image.pullPolicy }}
env:
  {{- include "vaultpane.agentEnv" . | nindent 2 }}
{{- with .root.Values.azure.existingSecret }}
envFrom:
  - secretRef:
      name: {{ . | quote }}
{{- end }}
{{- with include "vaultpane.agentPorts" $agent }}
# The pod uses the node's ports, so the scheduler does not place another pod there that needs one of them.
ports:
  {{- . | nindent 2 }}
{{- end }}
{{- if ne (int $agent.health.port) 0 }}
# The agent listens only on the node's loopback interface, which kubelet can reach.
livenessProbe:
  httpGet:
    host: 127.0.0.1
    path: /healthz
    port: {{ $agent.health.port | int }}
  initialDelaySeconds: 30
  periodSeconds: 30
  timeoutSeconds: 5
  failureThreshold: 5
readinessProbe:
  httpGet:
    host: 127.0.0.1
    path: /readyz
    port: {{ $agent.health.port | int }}
  periodSeconds: 15
  timeoutSeconds: 5
{{- end }}
resources:
  {{- toYaml (.resources | default dict) | nindent 2 }}
{{- end -}}

{{/* The federated token, the CA certificates and the mounts of the values. */}}
{{- define "vaultpane.agentMounts" -}}
{{- include "vaultpane.azureMounts" (include "vaultpane.agentIdentity" . | fromYaml) }}
{{- with .Values.agent.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "vaultpane.agentVolumes" -}}
{{- include "vaultpane.azureVolumes" (include "vaultpane.agentIdentity" . | fromYaml) }}
{{- with .Values.agent.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels and annotations of the pods. Call with (dict "root" $ "component" "agent"). */}}
{{- define "vaultpane.agentPodMetadata" -}}
{{- $labels := .root.Values.agent.podLabels | default dict -}}
{{- if include "vaultpane.webhook" .root.Values.azure -}}
{{- $labels = merge (dict "azure.workload.identity/use" "true") $labels -}}
{{- end -}}
labels:
  {{- include "vaultpane.selectorLabels" . | nindent 2 }}
  {{- with $labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.agent.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
