{{/* Writes all ObservedCertificates as a map from name to spec, after a look at each. */}}
{{- define "vaultpane.certificates" -}}
{{- $schema := include "vaultpane.certificates.schema" . | fromYaml -}}
{{- $defaults := .Values.certificateDefaults | default dict -}}
{{- if hasKey $defaults "url" -}}
{{- fail "certificateDefaults.url must not be there: each certificate has its own" -}}
{{- end -}}
{{- include "vaultpane.schema" (dict "field" "certificateDefaults" "value" $defaults "schema" (omit $schema "required")) -}}
{{- $certificates := include "vaultpane.settings" . | fromYaml -}}
{{- range $name, $spec := .Values.certificates -}}
{{- if not (kindIs "invalid" $spec) -}}{{/* null takes away what another file of values has */}}
{{- $field := printf "certificates.%s" $name -}}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$" (trunc 254 $name)) -}}
{{- fail (printf "%s is no name for an ObservedCertificate: small letters, digits, '-' and '.' may be in it, and it begins and ends with a letter or digit, as in my-web" $field) -}}
{{- else if gt (len $name) 253 -}}
{{- fail (printf "%s has %d characters as its name, must have at most 253" $field (len $name)) -}}
{{- else if hasKey $certificates $name -}}
{{- fail (printf "%s has the name that secretsManagementSettings gives to %s; choose another" $field (get $certificates $name).url) -}}
{{- end -}}
{{- include "vaultpane.schema" (dict "field" $field "value" $spec "schema" $schema) -}}
{{- include "vaultpane.check.vault" (dict "field" $field "url" $spec.url "root" $) -}}
{{- $_ := set $certificates $name $spec -}}
{{- end -}}
{{- end -}}
{{- range $spec := $certificates -}}
{{- range $field, $value := $defaults }}{{ if not (hasKey $spec $field) }}{{ $_ := set $spec $field $value }}{{ end }}{{ end -}}
{{- range $field, $value := $spec }}{{ if kindIs "invalid" $value }}{{ $_ := unset $spec $field }}{{ end }}{{ end -}}
{{- end -}}
{{- toYaml $certificates -}}
{{- end -}}

{{/* The schema of a spec, as the CRD has it. */}}
{{- define "vaultpane.certificates.schema" -}}
{{- $crd := .Files.Get "crds/vaultpane.dev_observedcertificates.yaml" | fromYaml -}}
{{- toYaml (index $crd.spec.versions 0).schema.openAPIV3Schema.properties.spec -}}
{{- end -}}

{{/* Refuses a vault that agents would not ask, for all its nodes to say so later. The domains are those of Azure's clouds. */}}
{{- define "vaultpane.check.vault" -}}
{{- $authority := regexFind "^https://[^/]+" .url | trimPrefix "https://" | lower | trimSuffix ":443" -}}
{{- $host := regexReplaceAll ":[0-9]+$" $authority "" -}}
{{- $allowed := false -}}
{{- range concat (list ".vault.azure.net" ".vault.azure.cn" ".vault.usgovcloudapi.net") (.root.Values.agent.allowedVaultHosts | default list) -}}
{{- $entry := lower . | trimSuffix ":443" -}}
{{- $allowed = or $allowed (hasPrefix "." $entry | ternary (hasSuffix $entry $host) (has $entry (list $host $authority))) -}}
{{- end -}}
{{- if not $allowed -}}
{{- fail (printf "%s has the url %q, whose host is none of Azure's Key Vault (.vault.azure.net, .vault.azure.cn, .vault.usgovcloudapi.net): correct it, or name the host in agent.allowedVaultHosts if agents shall ask it" .field .url) -}}
{{- end -}}
{{- end -}}
