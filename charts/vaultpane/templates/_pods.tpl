{{/* Refuses of the pods' values what the API server or kubelet would refuse. */}}
{{- define "vaultpane.check.pods" -}}
{{- range $field, $tolerations := dict "agent.tolerations" .Values.agent.tolerations "controller.tolerations" .Values.controller.tolerations -}}
{{- range $index, $toleration := $tolerations -}}
{{- include "vaultpane.check.toleration" (dict "field" (printf "%s[%d]" $field $index) "toleration" $toleration) -}}
{{- end -}}
{{- end -}}
{{- $names := list "azure-token" "ca-bundle" "store" -}}
{{- range $index, $volume := .Values.agent.extraVolumes -}}
{{- include "vaultpane.check.one" (list (printf "agent.extraVolumes[%d].name" $index) .name "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" "small letters, digits and '-', with a letter or digit at both ends") -}}
{{- if has .name $names -}}
{{- fail (printf "agent.extraVolumes[%d].name is %q, which another volume has; the chart's own are azure-token, ca-bundle and store" $index .name) -}}
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
{{- $paths = append $paths .mountPath -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.check.toleration" -}}
{{- $part := "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?" -}}
{{- include "vaultpane.check.one" (list (printf "%s.key" .field) .toleration.key (printf "^(([a-z0-9.-]+/)?%s)?$" $part) "the key of a taint, such as example.com/pool") -}}
{{- include "vaultpane.check.one" (list (printf "%s.value" .field) .toleration.value (printf "^(%s)?$" $part) "the value of a taint: at most 63 letters, digits, '.', '_' and '-'") -}}
{{- $exists := eq .toleration.operator "Exists" -}}
{{- if and $exists .toleration.value -}}
{{- fail (printf "%s has the operator Exists and a value; leave out the value, or use the operator Equal" .field) -}}
{{- else if not (or $exists .toleration.key) -}}
{{- fail (printf "%s has no key; with the operator Exists that means all taints, with others it means nothing" .field) -}}
{{- else if and (hasKey .toleration "tolerationSeconds") (ne .toleration.effect "NoExecute") -}}
{{- fail (printf "%s has tolerationSeconds, which only the effect NoExecute takes" .field) -}}
{{- end -}}
{{- end -}}

{{/* Variables of the values. One that the chart sets too would be there twice, which server-side apply refuses. Call with
(dict "field" "agent.extraEnv" "extra" . "own" TEXT), where TEXT has the chart's own. */}}
{{- define "vaultpane.extraEnv" -}}
{{- $call := . -}}
{{- $names := regexFindAll "name: [A-Z][A-Z0-9_]*" .own -1 -}}
{{- range $index, $variable := .extra -}}
{{- $field := printf "%s[%d]" $call.field $index -}}
{{- $line := printf "name: %s" .name -}}
{{- include "vaultpane.check.one" (list (printf "%s.name" $field) .name "^[A-Za-z_.-][A-Za-z0-9_.-]*$" "the name of a variable: letters, digits and '_'") -}}
{{- if has $line $names -}}
{{- fail (printf "%s sets %s, which is set already: by the chart, whose values have it, or by an entry before it" $field .name) -}}
{{- else if and .value .valueFrom -}}
{{- fail (printf "%s has both value and valueFrom; leave out one" $field) -}}
{{- end -}}
{{- $names = append $names $line -}}
{{- end -}}
{{- with .extra }}{{ toYaml . }}{{ end -}}
{{- end -}}
