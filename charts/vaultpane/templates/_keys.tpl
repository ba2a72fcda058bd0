{{/* The type of a value, as YAML names it. */}}
{{- define "vaultpane.kind" -}}
{{- get (dict "string" "string" "bool" "boolean" "map" "map" "slice" "list" "invalid" "null") (kindOf .) | default "number" -}}
{{- end -}}

{{/* Rejects unknown keys: mostly misspellings, which would otherwise be ignored. Call with (dict "field" "x" "map" . "keys" (list "a" "b") "what" "a setting of y"). */}}
{{- define "vaultpane.unknown" -}}
{{- $call := . -}}
{{- range $key, $_ := .map -}}
{{- if not (has $key $call.keys) -}}
{{- $written := list -}}
{{- $plain := $key | lower | replace "_" "" | replace "-" "" -}}
{{- range $call.keys }}{{ if eq (lower .) $plain }}{{ $written = append $written . }}{{ end }}{{ end -}}
{{- with $written }}{{ fail (printf "%s.%s must be written %s; the known keys are %s" $call.field $key (first .) (join ", " $call.keys)) }}{{ end -}}
{{- fail (printf "%s.%s is not %s; the known keys are %s" $call.field $key $call.what (join ", " $call.keys)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Rejects unknown keys at every depth. Call with (dict "field" "agent" "value" . "keys" . "what" "a value of this chart"), where keys
is the part of files/keys.yaml for this value: what is below a key; "[]" for entries of a list, "*" for any key, nothing for what may
hold anything. */}}
{{- define "vaultpane.keys" -}}
{{- $call := . -}}
{{- if and (kindIs "slice" .value) (hasKey .keys "[]") -}}
{{- range $index, $value := .value -}}
{{- include "vaultpane.keys" (dict "field" (printf "%s[%d]" $call.field $index) "value" $value "keys" (get $call.keys "[]") "what" $call.what) -}}
{{- end -}}
{{- else if and (kindIs "map" .value) .keys -}}
{{- if not (hasKey .keys "*") -}}
{{- include "vaultpane.unknown" (dict "field" .field "map" .value "keys" (keys .keys | sortAlpha) "what" .what) -}}
{{- end -}}
{{- range $key, $value := .value -}}
{{- include "vaultpane.keys" (dict "field" (printf "%s.%s" $call.field $key) "value" $value "keys" (get $call.keys $key | default (get $call.keys "*") | default dict) "what" $call.what) -}}
{{- end -}}
{{- end -}}
{{- end -}}
