{{/*
Checks the CRD's rules in CEL, which values.schema.json cannot hold, so that a wrong certificate is rejected with the CRD's message
before anything is installed: the API server would reject it in the middle of the installation. A rule that is not understood here
passes, and is left to the API server. Types, sizes and required fields are checked before, by values.schema.json.
Call with (dict "field" "certificates.web" "value" . "schema" .).
*/}}
{{- define "vaultpane.rules" -}}
{{- $call := . -}}
{{- if kindIs "map" .value -}}
{{- range $key, $value := .value -}}
{{- with get ($call.schema.properties | default dict) $key | default $call.schema.additionalProperties -}}
{{- include "vaultpane.rules" (dict "field" (printf "%s.%s" $call.field $key) "value" $value "schema" .) -}}
{{- end -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- range $index, $value := .value -}}
{{- include "vaultpane.rules" (dict "field" (printf "%s[%d]" $call.field $index) "value" $value "schema" $call.schema.items) -}}
{{- end -}}
{{- end -}}
{{- if not (kindIs "invalid" .value) }}{{ include "vaultpane.rules.own" . }}{{ end -}}
{{- end -}}

{{/* The rules of a value itself. A rule about a field below it names that field. */}}
{{- define "vaultpane.rules.own" -}}
{{- $value := .value -}}
{{- $field := .field -}}
{{- range index .schema "x-kubernetes-validations" -}}
{{- if not (include "vaultpane.rules.holds" (dict "rule" .rule "value" $value)) -}}
{{- $shown := $value -}}
{{- with .fieldPath }}{{ $shown = get $value (trimPrefix "." .) }}{{ end -}}
{{- fail (printf "%s%s is %s: %s" $field (.fieldPath | default "") (mustToRawJson $shown) .message) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty if a rule of the CRD holds, or has a form that is not understood here. Understood are terms with || and && between them. */}}
{{- define "vaultpane.rules.holds" -}}
{{- $call := . -}}
{{- $outcomes := list -}}
{{- $given := "(has(self.values) && size(self.values) > 0)" -}}
{{- range .rule | replace $given "given" | replace "!has(self.values) || size(self.values) == 0" "!given" | splitList " || " -}}
{{- $terms := list -}}
{{- range splitList " && " . }}{{ $terms = append $terms (include "vaultpane.rules.term" (dict "term" . "value" $call.value)) }}{{ end -}}
{{- $outcomes = append $outcomes (has "unknown" $terms | ternary "unknown" (has "false" $terms | ternary "false" "true")) -}}
{{- end -}}
{{- if or (has "true" $outcomes) (has "unknown" $outcomes) }}yes{{ end -}}
{{- end -}}

{{/* true, false or unknown. Regular expressions are RE2 in CEL and here. */}}
{{- define "vaultpane.rules.term" -}}
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
{{- include "vaultpane.rules.field" . -}}
{{- else -}}
unknown
{{- end -}}
{{- end -}}

{{/* The same for a term about a field below self. */}}
{{- define "vaultpane.rules.field" -}}
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
