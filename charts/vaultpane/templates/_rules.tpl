{{/*
Checks the CRD's rules that values.schema.json cannot hold, so that an invalid certificate is rejected with the CRD's message before
anything is installed: the API server would reject it halfway through the installation. The rules are in files/rules.yaml. For
certificates, values.schema.json has checked types, sizes and required fields before; it does not see into settings of the extension
that are a string, so sizes are checked here too.
Call with (dict "field" "certificates.web" "value" . "rules" .), where rules is the part of files/rules.yaml for this value.
*/}}
{{- define "vaultpane.rules" -}}
{{- $call := . -}}
{{- if kindIs "map" .value -}}
{{- range $key, $value := .value -}}
{{- with get ($call.rules.properties | default dict) $key | default $call.rules.additionalProperties -}}
{{- include "vaultpane.rules" (dict "field" (printf "%s.%s" $call.field $key) "value" $value "rules" .) -}}
{{- end -}}
{{- end -}}
{{- else if and (kindIs "slice" .value) .rules.items -}}
{{- range $index, $value := .value -}}
{{- include "vaultpane.rules" (dict "field" (printf "%s[%d]" $call.field $index) "value" $value "rules" $call.rules.items) -}}
{{- end -}}
{{- end -}}
{{- if not (kindIs "invalid" .value) }}{{ include "vaultpane.rules.size" . }}{{ include "vaultpane.rules.own" . }}{{ end -}}
{{- end -}}

{{- define "vaultpane.rules.size" -}}
{{- $size := 0 -}}
{{- if kindIs "string" .value }}{{ $size = splitList "" .value | len }}{{ else if kindIs "slice" .value }}{{ $size = len .value }}{{ end -}}
{{- $most := .rules.maxLength | default .rules.maxItems | default $size | int -}}
{{- if gt $size $most -}}
{{- fail (printf "%s has %d %s, must have at most %d" .field $size (kindIs "string" .value | ternary "characters" "entries") $most) -}}
{{- end -}}
{{- end -}}

{{/* The rules of a value itself, and about its fields together. Each holds if one of its terms does. */}}
{{- define "vaultpane.rules.own" -}}
{{- $value := .value -}}
{{- $path := .field -}}
{{- range $rule := .rules.rules -}}
{{- $holds := list -}}
{{- range $rule.any }}{{ $holds = append $holds (include "vaultpane.rules.term" (dict "term" . "value" $value)) }}{{ end -}}
{{- if not (has "true" $holds) -}}
{{- $shown := $value -}}
{{- with $rule.field }}{{ $path = printf "%s.%s" $path . }}{{ $shown = get $value . }}{{ end -}}
{{- fail (printf "%s is %s: %s" $path (mustToRawJson $shown) $rule.message) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* true or false. */}}
{{- define "vaultpane.rules.term" -}}
{{- $value := .value -}}
{{- with .term.of }}{{ $value = get $value . }}{{ end -}}
{{- if .term.matches -}}
{{- regexMatch .term.matches (toString $value) -}}
{{- else if .term.not -}}
{{- not (regexMatch .term.not (toString $value)) -}}
{{- else if hasKey .term "atLeast" -}}
{{- ge (int64 $value) (int64 .term.atLeast) -}}
{{- else if hasKey .term "atMost" -}}
{{- le (int64 $value) (int64 .term.atMost) -}}
{{- else -}}
{{- eq (empty $value) .term.empty -}}
{{- end -}}
{{- end -}}
