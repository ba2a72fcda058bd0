{{/* Rejects selectors that match no node of the agents, and selectors for agents that are not installed. */}}
{{- define "vaultpane.check.selectors" -}}
{{- $agent := .Values.agent -}}
{{- range $field, $selector := dict "agent.nodeSelector windows" $agent.nodeSelector "agent.linux.nodeSelector linux" $agent.linux.nodeSelector "controller.nodeSelector linux" .Values.controller.nodeSelector -}}
{{- $words := splitList " " $field -}}
{{- $system := get ($selector | default dict) "kubernetes.io/os" | default (last $words) -}}
{{- if ne $system (last $words) -}}
{{- fail (printf "%s.kubernetes.io/os is %q, must be %s or left out" (first $words) $system (last $words)) -}}
{{- end -}}
{{- end -}}
{{- if and $agent.linux.nodeSelector (not $agent.linux.enabled) -}}
{{- fail (printf "agent.linux.nodeSelector is %s, but no agent runs on Linux: set agent.linux.enabled: true, or remove it" (mustToRawJson $agent.linux.nodeSelector)) -}}
{{- else if and (or $agent.linux.hostAliases $agent.linux.dnsConfig) (not $agent.linux.enabled) -}}
{{- fail (printf "agent.linux.%s is set, but no agent runs on Linux: set agent.linux.enabled: true, or remove it" ($agent.linux.hostAliases | empty | ternary "dnsConfig" "hostAliases")) -}}
{{- else if and $agent.nodeSelector (not $agent.enabled) -}}
{{- fail (printf "agent.nodeSelector is %s, but no agent runs on Windows: for the agents on Linux, use agent.linux.nodeSelector" (mustToRawJson $agent.nodeSelector)) -}}
{{- end -}}
{{- $labels := dict -}}
{{- range regexFindAll "[^,(]+(\\([^)]*\\))?" (.Values.controller.agentNodeSelector | default "") -1 -}}
{{- if regexMatch "^[^=!<>(]+==?[^=!<>(]*$" . }}{{ $_ := set $labels (regexFind "^[^=]+" . | trim) (regexReplaceAll "^[^=]+==?" . "" | trim) }}{{ end -}}
{{- end -}}
{{- with include "vaultpane.contradiction" (dict "root" . "selector" (dict "matchLabels" $labels)) -}}
{{- fail (printf "controller.agentNodeSelector is %q, and %s: the controller would find no agent" $.Values.controller.agentNodeSelector .) -}}
{{- end -}}
{{- end -}}

{{/* The labels that each node of the agents has, as a list of maps. */}}
{{- define "vaultpane.agentNodes" -}}
{{- $nodes := list -}}
{{- if .Values.agent.enabled }}{{ $nodes = append $nodes (merge (dict "kubernetes.io/os" "windows") (.Values.agent.nodeSelector | default dict)) }}{{ end -}}
{{- if .Values.agent.linux.enabled }}{{ $nodes = append $nodes (merge (dict "kubernetes.io/os" "linux") (.Values.agent.linux.nodeSelector | default dict)) }}{{ end -}}
{{- toYaml $nodes -}}
{{- end -}}

{{/* Writes why a selector selects none of the agents' nodes; nothing if it may select one. Call with (dict "root" $ "selector" .). */}}
{{- define "vaultpane.contradiction" -}}
{{- $selector := .selector -}}
{{- with include "vaultpane.unmet" (dict "selector" (pick $selector "matchExpressions") "labels" ($selector.matchLabels | default dict)) -}}
it requires {{ . }}, which contradicts matchLabels
{{- else -}}
{{- $reasons := list -}}
{{- $nodes := include "vaultpane.agentNodes" .root | fromYamlArray -}}
{{- range $labels := $nodes -}}
{{- with include "vaultpane.unmet" (dict "selector" $selector "labels" $labels) }}{{ $reasons = append $reasons (printf "it requires %s, while agents run only on nodes with %s" . (include "vaultpane.labelText" $labels)) }}{{ end -}}
{{- end -}}
{{- if eq (len $reasons) (len $nodes) }}{{ $reasons | uniq | join "; " }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.labelText" -}}
{{- $terms := list -}}
{{- range $key, $value := . }}{{ $terms = append $terms (printf "%s=%s" $key $value) }}{{ end -}}
{{- join "," $terms -}}
{{- end -}}

{{/* The first requirement of a selector that these labels do not meet; a key that is missing in them may have any value. */}}
{{- define "vaultpane.unmet" -}}
{{- $labels := .labels -}}
{{- $unmet := list -}}
{{- range $key, $value := .selector.matchLabels -}}
{{- if and (hasKey $labels $key) (ne (toString $value) (toString (get $labels $key))) }}{{ $unmet = append $unmet (printf "%s=%s" $key $value) }}{{ end -}}
{{- end -}}
{{- range .selector.matchExpressions -}}
{{- if hasKey $labels .key -}}
{{- $listed := has (get $labels .key) (.values | default list) -}}
{{- if or (and (eq .operator "In") (not $listed)) (and (eq .operator "NotIn") $listed) (eq .operator "DoesNotExist") }}{{ $unmet = append $unmet (trim (printf "%s %s %s" .key .operator (join "," .values))) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with $unmet }}{{ first . }}{{ end -}}
{{- end -}}
