{{/* Rejects values of the pods that the API server or kubelet would reject. */}}
{{- define "vaultpane.check.pods" -}}
{{- range $field, $tolerations := dict "agent.tolerations" .Values.agent.tolerations "controller.tolerations" .Values.controller.tolerations -}}
{{- range $index, $toleration := $tolerations -}}
{{- include "vaultpane.check.toleration" (dict "field" (printf "%s[%d]" $field $index) "toleration" $toleration) -}}
{{- end -}}
{{- end -}}
{{- $names := list "azure-token" "ca-bundle" "store" -}}
{{- range $index, $volume := .Values.agent.extraVolumes -}}
{{- include "vaultpane.check.one" (list (printf "agent.extraVolumes[%d].name" $index) .name "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" "lower-case letters, digits and '-', beginning and ending with a letter or digit") -}}
{{- if has .name $names -}}
{{- fail (printf "agent.extraVolumes[%d].name is %q, which another volume has; the chart's own volumes are azure-token, ca-bundle and store" $index .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- $paths := list "/var/run/secrets/vaultpane/azure" "/var/run/secrets/vaultpane/ca" .Values.agent.linux.storePath -}}
{{- range $index, $mount := .Values.agent.extraVolumeMounts -}}
{{- if not (has .name $names) -}}
{{- fail (printf "agent.extraVolumeMounts[%d].name is %q, which no volume has; name one of agent.extraVolumes" $index .name) -}}
{{- else if has .mountPath $paths -}}
{{- fail (printf "agent.extraVolumeMounts[%d].mountPath is %q, where another volume is mounted" $index .mountPath) -}}
{{- end -}}
{{- include "vaultpane.check.one" (list (printf "agent.extraVolumeMounts[%d].mountPath" $index) .mountPath "^(/|[A-Za-z]:[/\\\\])" "an absolute path, such as C:\\data or /data") -}}
{{- $paths = append $paths .mountPath -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.check.toleration" -}}
{{- $part := "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?" -}}
{{- include "vaultpane.check.one" (list (printf "%s.key" .field) .toleration.key (printf "^(([a-z0-9.-]+/)?%s)?$" $part) "the key of a taint, such as example.com/pool") -}}
{{- include "vaultpane.check.one" (list (printf "%s.value" .field) .toleration.value (printf "^(%s)?$" $part) "the value of a taint: at most 63 letters, digits, '.', '_' and '-'") -}}
{{- $exists := eq .toleration.operator "Exists" -}}
{{- if and $exists .toleration.value -}}
{{- fail (printf "%s has the operator Exists and a value; remove the value, or use the operator Equal" .field) -}}
{{- else if not (or $exists .toleration.key) -}}
{{- fail (printf "%s has no key, which is allowed only with the operator Exists, for all taints" .field) -}}
{{- else if and (hasKey .toleration "tolerationSeconds") (ne .toleration.effect "NoExecute") -}}
{{- fail (printf "%s has tolerationSeconds, which is allowed only with the effect NoExecute" .field) -}}
{{- end -}}
{{- end -}}

{{/* The variables of the values. A variable that the chart sets too would be a duplicate, which server-side apply rejects. Call with
(dict "field" "agent.extraEnv" "extra" . "own" TEXT "known" LIST), where TEXT has the chart's own and LIST what the program knows. */}}
{{- define "vaultpane.extraEnv" -}}
{{- $call := . -}}
{{- $names := regexFindAll "name: [A-Z][A-Z0-9_]*" .own -1 -}}
{{- range $index, $variable := .extra -}}
{{- $field := printf "%s[%d]" $call.field $index -}}
{{- $line := printf "name: %s" .name -}}
{{- include "vaultpane.check.one" (list (printf "%s.name" $field) .name "^[A-Za-z_.-][A-Za-z0-9_.-]*$" "the name of a variable: letters, digits and '_'") -}}
{{- include "vaultpane.check.variable" (dict "field" $field "name" .name "value" (.value | default "") "known" $call.known) -}}
{{- if has $line $names -}}
{{- fail (printf "%s sets %s, which is already set by a value of the chart or by an earlier entry" $field .name) -}}
{{- else if not (or (hasKey . "value") .valueFrom) -}}
{{- fail (printf "%s has neither value nor valueFrom; for an empty one, write value: \"\"" $field) -}}
{{- else if and .value .valueFrom -}}
{{- fail (printf "%s has both value and valueFrom; remove one" $field) -}}
{{- end -}}
{{- $names = append $names $line -}}
{{- end -}}
{{- with .extra }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* Rejects variables that no program reads: the programs read those of files/variables.yaml, the agent and the Azure SDK those that
begin with AZURE_. A test compares that list with their sources. */}}
{{- define "vaultpane.check.variable" -}}
{{- $azure := list "AZURE_ADDITIONALLY_ALLOWED_TENANTS" "AZURE_AUTHORITY_HOST" "AZURE_CLIENT_CERTIFICATE_PASSWORD" "AZURE_CLIENT_CERTIFICATE_PATH" "AZURE_CLIENT_ID" "AZURE_CLIENT_SECRET" "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN" "AZURE_FEDERATED_TOKEN_FILE" "AZURE_KUBERNETES_CA_DATA" "AZURE_KUBERNETES_CA_FILE" "AZURE_KUBERNETES_SNI_NAME" "AZURE_KUBERNETES_TOKEN_PROXY" "AZURE_PASSWORD" "AZURE_REGIONAL_AUTHORITY_NAME" "AZURE_SDK_GO_LOGGING" "AZURE_TENANT_ID" "AZURE_TOKEN_CREDENTIALS" "AZURE_USERNAME" -}}
{{- $known := upper .name | hasPrefix "VAULTPANE_" | ternary .known $azure -}}
{{- if and (regexMatch "^(?i)(VAULTPANE|AZURE)_" .name) (not (has .name $known)) -}}
{{- fail (printf "%s sets %s, which nothing reads; the known variables are %s" .field .name (join ", " $known)) -}}
{{- else if and (eq (upper .name) "NO_PROXY") (contains ";" .value) -}}
{{- fail (printf "%s sets %s to %q, with semicolons; separate the hosts by commas" .field .name .value) -}}
{{- end -}}
{{- end -}}
