{{/* Quantities of resources (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/) and durations. */}}

{{/* Rejects resources that the API server would reject, and memory limits that are too small for the programs. */}}
{{- define "vaultpane.check.resources" -}}
{{- $number := "([0-9]+([.][0-9]*)?|[.][0-9]+)(e[+]?[0-9]+)?" -}}
{{- range $name, $resources := dict "agent.resources" .Values.agent.resources "agent.linux.resources" .Values.agent.linux.resources "controller.resources" .Values.controller.resources -}}
{{- range $kind, $amounts := pick ($resources | default dict) "requests" "limits" -}}
{{- range $resource, $amount := $amounts -}}
{{- $field := printf "%s.%s.%s" $name $kind $resource -}}
{{- if not (regexMatch "^(cpu|memory|ephemeral-storage|hugepages-.+|.+/.+)$" $resource) -}}
{{- fail (printf "%s is not a resource; use cpu, memory, ephemeral-storage or an extended resource such as example.com/device" $field) -}}
{{- else if eq $resource "cpu" -}}
{{- include "vaultpane.check.one" (list $field $amount (printf "^(%sm?)?$" $number) "a quantity of CPU, such as 100m or 0.5") -}}
{{- else -}}
{{- include "vaultpane.check.one" (list $field $amount (printf "^(%s(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?)?$" $number) "a quantity in bytes, such as 256Mi") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "vaultpane.check.limits" (dict "field" $name "requests" (dig "requests" dict ($resources | default dict)) "limits" (dig "limits" dict ($resources | default dict))) -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.check.limits" -}}
{{- $call := . -}}
{{- range $resource, $limit := .limits -}}
{{- $most := include "vaultpane.amount" $limit | float64 -}}
{{- $request := get ($call.requests | default dict) $resource -}}
{{- if and $limit (gt (include "vaultpane.amount" $request | float64) $most) -}}
{{- fail (printf "%s.requests.%s is %v, must not be more than limits.%s, which is %v" $call.field $resource $request $resource $limit) -}}
{{- else if and $limit (eq $resource "memory") (lt $most 33554432.0) -}}
{{- fail (printf "%s.limits.memory is %v, must be 32Mi or more for the program to start; the default is in values.yaml" $call.field $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A quantity as a number of bytes or CPUs; 0 if there is none. */}}
{{- define "vaultpane.amount" -}}
{{- $text := . | default 0 | toString -}}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- mulf (regexReplaceAll "[A-Za-z]+$" $text "" | float64) (get $units (regexFind "[A-Za-z]+$" $text) | default 1) -}}
{{- end -}}

{{/* GOMEMLIMIT for a container's resources: 80 % of its memory limit, nothing without a limit. Go collects garbage more often near it;
the rest is for memory that Go does not count. */}}
{{- define "vaultpane.goMemoryLimit" -}}
{{- with dig "limits" dict (. | default dict) | default dict -}}
{{- with .memory -}}
- name: GOMEMLIMIT
  value: {{ printf "%dMiB" (divf (include "vaultpane.amount" .) 1310720 | int64) | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A duration such as 1h30m in seconds. */}}
{{- define "vaultpane.seconds" -}}
{{- $units := dict "ms" 0.001 "s" 1 "m" 60 "h" 3600 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9.]+[a-z]+" . -1 -}}
{{- $sum = addf $sum (mulf (regexFind "[0-9.]+" . | float64) (get $units (regexFind "[a-z]+" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}
