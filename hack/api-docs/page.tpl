{{- define "gvList" -}}
{{- $gv := index . 0 -}}
# API reference

You write an `ObservedCertificate`: its `spec` says which certificate goes into which store on which nodes.
Vaultpane writes its `status`, and one `NodeCertificateState` per node: they say what is installed where, and what failed.

Both kinds are in `{{ $gv.GroupVersionString }}`, have no namespace, and are shown by `kubectl explain observedcertificate.spec` too.
Only `spec.url` is required. The API server rejects a value that breaks a rule; where a rule needs words, this page has the message.
[status.md](status.md) explains the conditions, [errors.md](errors.md) every reason. `make generate` writes this page from the types
in `api/{{ $gv.Version }}`.
{{ range list "ObservedCertificate" "NodeCertificateState" }}
## {{ . }}

{{ $type := $gv.TypeForKind . }}{{ template "text" $type.Doc }}
{{ template "object" (dict "path" . "type" $type) }}
{{- end -}}
{{- end -}}

{{/* The fields of an object, then the objects below it. Call with path and type. */}}
{{- define "object" -}}
{{- $path := .path }}
| field | type | default | rules | meaning |
|---|---|---|---|---|
{{ range .type.Members -}}
{{- if not (has .Name (list "kind" "apiVersion" "metadata")) -}}
| `{{ .Name }}` | {{ template "type" (dict "path" (printf "%s.%s" $path .Name) "type" .Type) }} | {{ with .Default }}`{{ trimAll "\"" . }}`{{ end }} | {{ template "rules" . }} | {{ template "text" .Doc }} |
{{ end -}}
{{- end -}}
{{- range .type.Members -}}
{{- if ne .Name "metadata" }}{{ template "messages" . }}{{ end -}}
{{- end -}}
{{- range .type.Members -}}
{{- if ne .Name "metadata" -}}
{{- template "below" (dict "path" (printf "%s.%s" $path .Name) "type" .Type) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The section of the object that a type leads to, if it is one of this API. Call with path and type. */}}
{{- define "below" -}}
{{- if or .type.Imported (eq .type.Name "Time") -}}
{{- else if .type.Fields }}
### {{ .path }}

{{ template "text" .type.Doc }}
{{ template "object" . -}}
{{- else if or .type.ValueType .type.UnderlyingType -}}
{{- template "below" (dict "path" .path "type" (or .type.ValueType .type.UnderlyingType)) -}}
{{- end -}}
{{- end -}}

{{/* A type in the words of JSON. Call with path and type; crd-ref-docs numbers a map 3 and a slice 5. */}}
{{- define "type" -}}
{{- $kind := printf "%d" .type.Kind -}}
{{- if eq .type.Name "Time" -}}
time (RFC 3339)
{{- else if eq $kind "3" -}}
map of {{ template "type" (dict "path" .path "type" .type.ValueType) }}
{{- else if eq $kind "5" -}}
list of {{ template "type" (dict "path" .path "type" .type.UnderlyingType) }}
{{- else if .type.UnderlyingType -}}
{{ template "type" (dict "path" .path "type" .type.UnderlyingType) }}
{{- else if .type.Imported -}}
{{ markdownRenderTypeLink .type }}
{{- else if .type.Fields -}}
[object](#{{ .path | lower | replace "." "" }})
{{- else -}}
{{ markdownRenderTypeLink .type }}
{{- end -}}
{{- end -}}

{{/* What the schema says of a field: presence, sizes, values. Of a list, sizes without items are those of its entries' own type. */}}
{{- define "rules" -}}
{{- $prefix := "kubebuilder:validation:" -}}
{{- $each := has (printf "%d" .Type.Kind) (list "3" "5") | ternary "each " "" -}}
{{- $rules := list -}}
{{- if not (index .Markers "optional") }}{{ $rules = append $rules "required" }}{{ end -}}
{{- range $values := index .Markers (printf "%sEnum" $prefix) -}}
{{- $names := list }}{{ range $values }}{{ $names = append $names (printf "`%v`" .) }}{{ end -}}
{{- $rules = append $rules (printf "one of %s" (join ", " $names)) -}}
{{- end -}}
{{- range $marker, $text := dict "Minimum" "at least %v" "Maximum" "at most %v" "MinItems" "at least %v entries" "MaxItems" "at most %v entries" "MaxProperties" "at most %v entries" "MinLength" (print $each "at least %v characters") "MaxLength" (print $each "at most %v characters") "items:MinLength" "each at least %v characters" "items:MaxLength" "each at most %v characters" -}}
{{- range $value := index $.Markers (print $prefix $marker) -}}
{{- $rule := printf $text $value -}}
{{- $rules = append $rules (replace "at least 1 characters" "not empty" $rule) -}}
{{- end -}}
{{- end -}}
{{- range $value := index .Markers "listType" }}{{ if eq (print $value) "set" }}{{ $rules = append $rules "each entry once" }}{{ end }}{{ end -}}
{{- join "; " $rules -}}
{{- end -}}

{{/* The messages of the rules that no schema can say: those of the field, and of the types of what it holds. */}}
{{- define "messages" -}}
{{- $rule := "kubebuilder:validation:XValidation" -}}
{{- $rules := concat (index .Markers $rule | default list) (index .Markers "kubebuilder:validation:items:XValidation" | default list) -}}
{{- $type := .Type -}}
{{- range until 3 }}{{ if $type }}{{ $rules = concat $rules (index $type.Markers $rule | default list) }}{{ $type = or $type.ValueType $type.UnderlyingType }}{{ end }}{{ end -}}
{{- if $rules }}
`{{ .Name }}` is rejected with one of these messages:

{{ range uniq $rules -}}
- {{ with .FieldPath }}`{{ trimPrefix "." . }}` {{ end }}{{ template "text" .Message }}
{{ end -}}
{{- end -}}
{{- end -}}

{{/* A comment in one line, with what Markdown would take for markup. */}}
{{- define "text" -}}
{{- . | replace "\n" " " | replace "\\" "\\\\" | replace "<" "\\<" | replace ">" "\\>" | replace "|" "\\|" | replace "*" "\\*" | replace " [" " \\[" -}}
{{- end -}}
