{{/*
Compares a value with a schema of the CRD, so that a wrong certificate is refused before anything is installed: the API server
would do so in the middle of it. The API server has the last word: what is not understood here passes.
Call with (dict "field" "certificates.web" "value" . "schema" .).
*/}}
{{- define "vaultpane.schema" -}}
{{- if not (kindIs "invalid" .value) -}}{{/* null is as if it were not there */}}
{{- include "vaultpane.schema.type" . -}}
{{- include "vaultpane.schema.size" . -}}
{{- if kindIs "map" .value }}{{ include "vaultpane.schema.map" . }}{{ end -}}
{{- if kindIs "slice" .value }}{{ include "vaultpane.schema.list" . }}{{ end -}}
{{- include "vaultpane.schema.rules" . -}}
{{- end -}}
{{- end -}}

{{/* The rules of a value in CEL. One that concerns a field below it names that field. */}}
{{- define "vaultpane.schema.rules" -}}
{{- $value := .value -}}
{{- $field := .field -}}
{{- range index .schema "x-kubernetes-validations" -}}
{{- if not (include "vaultpane.schema.holds" (dict "rule" .rule "value" $value)) -}}
{{- $shown := $value -}}
{{- with .fieldPath }}{{ $shown = get $value (trimPrefix "." .) }}{{ end -}}
{{- fail (printf "%s%s is %s: %s" $field (.fieldPath | default "") (mustToRawJson $shown) .message) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.schema.type" -}}
{{- $words := dict "object" "a map" "array" "a list" "boolean" "true or false" "integer" "a whole number" "string" "a string" -}}
{{- $kinds := dict "map" "object" "list" "array" "boolean" "boolean" "number" "integer" "string" "string" -}}
{{- $fits := eq (get $kinds (include "vaultpane.kind" .value)) .schema.type -}}
{{- if and $fits (eq .schema.type "integer") }}{{ $fits = eq (float64 .value) (floor .value) }}{{ end -}}
{{- if not $fits -}}
{{- fail (printf "%s is %s, must be %s" .field (mustToRawJson .value) (get $words .schema.type)) -}}
{{- else if and .schema.enum (not (has .value .schema.enum)) -}}
{{- fail (printf "%s is %q, must be %s" .field .value (join " or " .schema.enum)) -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.schema.size" -}}
{{- if has .schema.type (list "string" "array" "object") -}}
{{- $most := .schema.maxLength | default .schema.maxItems | default .schema.maxProperties | default 65536 | int -}}
{{- if lt (len .value) (int .schema.minLength) -}}
{{- fail (printf "%s is empty" .field) -}}
{{- else if gt (len .value) $most -}}
{{- fail (printf "%s has %d %s, must have at most %d" .field (len .value) (ternary "characters" "entries" (eq .schema.type "string")) $most) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.schema.map" -}}
{{- $call := . -}}
{{- if .schema.properties -}}
{{- include "vaultpane.unknown" (dict "field" .field "map" .value "keys" (keys .schema.properties | sortAlpha) "what" "no field of an ObservedCertificate's spec") -}}
{{- end -}}
{{- range $key := .schema.required -}}
{{- if kindIs "invalid" (index $call.value $key) -}}
{{- fail (printf "%s.%s is missing" $call.field $key) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := .value -}}
{{- include "vaultpane.schema" (dict "field" (printf "%s.%s" $call.field $key) "value" $value "schema" (get ($call.schema.properties | default dict) $key | default $call.schema.additionalProperties)) -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.schema.list" -}}
{{- $call := . -}}
{{- range $index, $value := .value -}}
{{- $field := printf "%s[%d]" $call.field $index -}}
{{- if kindIs "invalid" $value }}{{ fail (printf "%s is null" $field) }}{{ end -}}
{{- include "vaultpane.schema" (dict "field" $field "value" $value "schema" $call.schema.items) -}}
{{- end -}}
{{- if and (eq (index .schema "x-kubernetes-list-type") "set") (ne (len (uniq .value)) (len .value)) -}}
{{- fail (printf "%s is %s, must have each of them once" .field (mustToRawJson .value)) -}}
{{- end -}}
{{- end -}}

{{/* Not empty where a rule of the CRD holds, or is none of those that can be told here: terms with || and && between them. */}}
{{- define "vaultpane.schema.holds" -}}
{{- $call := . -}}
{{- $outcomes := list -}}
{{- $given := "(has(self.values) && size(self.values) > 0)" -}}
{{- range .rule | replace $given "given" | replace "!has(self.values) || size(self.values) == 0" "!given" | splitList " || " -}}
{{- $terms := list -}}
{{- range splitList " && " . }}{{ $terms = append $terms (include "vaultpane.schema.term" (dict "term" . "value" $call.value)) }}{{ end -}}
{{- $outcomes = append $outcomes (has "unknown" $terms | ternary "unknown" (has "false" $terms | ternary "false" "true")) -}}
{{- end -}}
{{- if or (has "true" $outcomes) (has "unknown" $outcomes) }}yes{{ end -}}
{{- end -}}

{{/* true, false or unknown. Regular expressions are RE2 in CEL and here. */}}
{{- define "vaultpane.schema.term" -}}
{{- $call := "^!?self[.](matches|startsWith|endsWith|contains)\\('(.*)'\\)$" -}}
{{- if regexMatch $call .term -}}
{{- $function := regexReplaceAll $call .term "${1}" -}}
{{- $argument := regexReplaceAll $call .term "${2}" | replace "\\\\" "\\" -}}
{{- $outcomes := dict "matches" (and (eq $function "matches") (regexMatch $argument .value)) "startsWith" (hasPrefix $argument .value) "endsWith" (hasSuffix $argument .value) "contains" (contains $argument .value) -}}
{{- ne (get $outcomes $function) (hasPrefix "!" .term) -}}
{{- else if regexMatch "^self >= [0-9]+$" .term -}}
{{- ge (int64 .value) (trimPrefix "self >= " .term | int64) -}}
{{- else if regexMatch "^self <= [0-9]+$" .term -}}
{{- le (int64 .value) (trimPrefix "self <= " .term | int64) -}}
{{- else if hasPrefix "self != '" .term -}}
{{- ne (printf "self != '%s'" .value) .term -}}
{{- else if hasPrefix "!(self.lowerAscii() in [" .term -}}
{{- not (contains (printf "'%s'" (lower .value)) .term) -}}
{{- else if kindIs "map" .value -}}
{{- include "vaultpane.schema.field" . -}}
{{- else -}}
unknown
{{- end -}}
{{- end -}}

{{/* The same for a term about a field below self. */}}
{{- define "vaultpane.schema.field" -}}
{{- $value := get .value (regexFind "self[.][A-Za-z]+" .term | trimPrefix "self.") -}}
{{- if has .term (list "given" "!given") -}}
{{- ne (empty .value.values) (eq .term "given") -}}
{{- else if regexMatch "^!\\(self[.][A-Za-z]+([.]lowerAscii\\(\\))? in \\[" .term -}}
{{- not (contains (printf "'%s'" (contains "lowerAscii" .term | ternary (toString $value | lower) $value)) .term) -}}
{{- else if regexMatch "^self[.][A-Za-z]+[.]lowerAscii\\(\\) != '" .term -}}
{{- not (hasSuffix (printf " != '%s'" (toString $value | lower)) .term) -}}
{{- else if regexMatch "^(!has\\(self[.][A-Za-z]+\\)|!self[.][A-Za-z]+|size\\(self[.][A-Za-z]+\\) == 0)$" .term -}}
{{- empty $value -}}
{{- else -}}
unknown
{{- end -}}
{{- end -}}

{{/* What a value is, in the words of YAML. */}}
{{- define "vaultpane.kind" -}}
{{- get (dict "string" "string" "bool" "boolean" "map" "map" "slice" "list" "invalid" "null") (kindOf .) | default "number" -}}
{{- end -}}

{{/* Refuses keys that nobody reads: most often a slip, which would go unnoticed. Call with (dict "field" "x" "map" . "keys" (list "a" "b") "what" "no setting of y"). */}}
{{- define "vaultpane.unknown" -}}
{{- $call := . -}}
{{- range $key, $_ := .map -}}
{{- if not (has $key $call.keys) -}}
{{- $written := list -}}
{{- $plain := $key | lower | replace "_" "" | replace "-" "" -}}
{{- range $call.keys }}{{ if eq (lower .) $plain }}{{ $written = append $written . }}{{ end }}{{ end -}}
{{- with $written }}{{ fail (printf "%s.%s is written %s; there are %s" $call.field $key (first .) (join ", " $call.keys)) }}{{ end -}}
{{- fail (printf "%s.%s is %s; there are %s" $call.field $key $call.what (join ", " $call.keys)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses keys that no value of the chart has, at every depth. Call with (dict "field" "agent" "value" . "keys" .), where keys is
the part of files/keys.yaml for this value: what is below a key; "[]" for entries of a list, "*" for any key, nothing for what may
hold anything. */}}
{{- define "vaultpane.keys" -}}
{{- $call := . -}}
{{- if and (kindIs "slice" .value) (hasKey .keys "[]") -}}
{{- range $index, $value := .value -}}
{{- include "vaultpane.keys" (dict "field" (printf "%s[%d]" $call.field $index) "value" $value "keys" (get $call.keys "[]")) -}}
{{- end -}}
{{- else if and (kindIs "map" .value) .keys -}}
{{- if not (hasKey .keys "*") -}}
{{- include "vaultpane.unknown" (dict "field" .field "map" .value "keys" (keys .keys | sortAlpha) "what" "no value of this chart") -}}
{{- end -}}
{{- range $key, $value := .value -}}
{{- include "vaultpane.keys" (dict "field" (printf "%s.%s" $call.field $key) "value" $value "keys" (get $call.keys $key | default (get $call.keys "*") | default dict)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
