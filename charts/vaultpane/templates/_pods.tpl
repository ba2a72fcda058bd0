{{/* Refuses of the pods' values what the API server or kubelet would refuse. */}}
{{- define "vaultpane.check.pods" -}}
{{- range $field, $tolerations := dict "agent.tolerations" .Values.agent.tolerations "controller.tolerations" .Values.controller.tolerations -}}
{{- range $index, $toleration := $tolerations -}}
{{- include "vaultpane.check.toleration" (dict "field" (printf "%s[%d]" $field $index) "toleration" $toleration) -}}
{{- end -}}
{{- end -}}
{{- range $field, $value := dict "agent.affinity" .Values.agent.affinity "controller.affinity" .Values.controller.affinity "controller.topologySpreadConstraints" .Values.controller.topologySpreadConstraints "controller.networkPolicy.metricsFrom" .Values.controller.networkPolicy.metricsFrom -}}
{{- include "vaultpane.check.selectors" (dict "field" $field "text" (toJson $value)) -}}
{{- end -}}
{{- $names := list "azure-token" "ca-bundle" "store" -}}
{{- range $index, $volume := .Values.agent.extraVolumes -}}
{{- include "vaultpane.check.one" (list (printf "agent.extraVolumes[%d].name" $index) .name "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" "small letters, digits and '-', with a letter or digit at both ends") -}}
{{- if has .name $names -}}
{{- fail (printf "agent.extraVolumes[%d].name is %q, which another volume has; the chart's own are azure-token, ca-bundle and store" $index .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- range $index, $mount := .Values.agent.extraVolumeMounts -}}
{{- if not (has .name $names) -}}
{{- fail (printf "agent.extraVolumeMounts[%d].name is %q, which no volume has; name one of agent.extraVolumes" $index .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.check.toleration" -}}
{{- $exists := eq .toleration.operator "Exists" -}}
{{- if and $exists .toleration.value -}}
{{- fail (printf "%s has the operator Exists and a value; leave out the value, or use the operator Equal" .field) -}}
{{- else if not (or $exists .toleration.key) -}}
{{- fail (printf "%s has no key; with the operator Exists that means all taints, with others it means nothing" .field) -}}
{{- else if and (hasKey .toleration "tolerationSeconds") (ne .toleration.effect "NoExecute") -}}
{{- fail (printf "%s has tolerationSeconds, which only the effect NoExecute takes" .field) -}}
{{- end -}}
{{- end -}}

{{/* Refuses the slips of label selectors, wherever they are in a text of JSON. */}}
{{- define "vaultpane.check.selectors" -}}
{{- $field := .field -}}
{{- range regexFindAll "\"operator\":\"[^\"]*\"" .text -1 -}}
{{- if not (regexMatch ":\"(In|NotIn|Exists|DoesNotExist|Gt|Lt)\"" .) -}}
{{- fail (printf "%s has %s, must be In, NotIn, Exists, DoesNotExist, Gt or Lt" $field .) -}}
{{- end -}}
{{- end -}}
{{- with regexFind "\"(matchLabels\":\\{([^}]*:)?|values\":\\[([^]]*,)?)(true|false|[0-9.e+-]+)[],}]" .text -}}
{{- fail (printf "%s has %s, where a label's value is no string; quote it, as in \"yes\" or \"1\" (YAML reads yes, on and y as true)" $field .) -}}
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
